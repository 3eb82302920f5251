"""
Why did this user get this label?
=================================

An explanation leaves one thing after the other out of a user's data and looks how far
the prediction moves.
"""

# %%
# Made-up reviewers write, and what they write tells their budget. Train on most of
# them, and take one that the model has not seen.
from sklearn_profiling.baselines import make_tfidf_baseline
from sklearn_profiling.datasets import make_reviewers
from sklearn_profiling.evaluation import explain

users = make_reviewers(300, n_reviews=4, random_state=0)
X, y = users.data[["user_id", "messages"]], users.target[["Budget Range", "Stars"]]
model = make_tfidf_baseline().fit(X[:250], y[:250])
found = explain(model, X[252:253], task="Budget Range", levels=["message", "word"])
print(found)

# %%
# The words with the largest contributions. Those on the right speak for the predicted
# label, those on the left against it; all others hardly move it.
import matplotlib.pyplot as plt

from sklearn_profiling.evaluation import WordContributionDisplay

WordContributionDisplay.from_explanation(found, max_words=10)
plt.show()

# %%
# Is it true? What is ranked first should move the prediction further than as many words
# drawn at random.
from sklearn_profiling.evaluation import faithfulness

others = [
    explain(model, X[row : row + 1], task="Budget Range", levels=["message"])
    for row in range(250, 256)
]
faithfulness(model, others, random_state=0)

# %%
# Over all users: which words go with which class, with p-values corrected for the
# number of words.
from sklearn_profiling.evaluation import differential_language

table = differential_language(X, y, task="Budget Range")
table[table["p_corrected"] < 0.05].groupby("class").head(5)

# %%
# An explanation says what moves this model. It does not say what is true of the user.
