"""
A generator that writes profiles
================================

The unified framework writes a profile as text, token by token, from reviews and
pictures. Its models are small here and trained from scratch, in half a minute.
"""

# %%
# Made-up reviewers: the budget shows in both sources, the meal in pictures alone.
from sklearn_profiling.datasets import make_reviewers
from sklearn_profiling.pipelines import make_profile_generator

users = make_reviewers(360, random_state=0)
y = users.target[["Budget Range", "Preferred Meal"]]
known, new = slice(0, 260), slice(260, 360)

# %%
# What :class:`~sklearn_profiling.estimators.ProfileGeneratorClassifier` writes of users
# that it has not seen, and what is true.
model = make_profile_generator(random_state=0).set_params(
    classifier__learning_rate=0.002,
    classifier__batch_size=8,
    classifier__max_epochs=8,
    classifier__max_messages=2,
    classifier__n_beams=2,
)
model.fit(users.data[known], y[known])
for profile in model[-1].generate(model[:-1].transform(users.data[new][:3])):
    print(profile)
y[new].head(3)

# %%
# Beside the largest class, and beside counts of words, which see no picture.
import pandas as pd

from sklearn_profiling.baselines import make_majority_baseline, make_tfidf_baseline
from sklearn_profiling.evaluation import accuracy_per_task

systems = {"majority": make_majority_baseline(), "tf-idf": make_tfidf_baseline()}
for system in systems.values():
    system.fit(users.data[known], y[known])
systems["generator"] = model
table = pd.DataFrame(
    {
        name: accuracy_per_task(y[new], system.predict(users.data[new]))
        for name, system in systems.items()
    },
)
table.round(3)

# %%
import matplotlib.pyplot as plt

figure, ax = plt.subplots(figsize=(6, 3.5), layout="constrained")
table.plot.bar(ax=ax, rot=0)
for place, task in enumerate(table.index):
    best = users.bayes_accuracy[task]
    ax.hlines(best, place - 0.4, place + 0.4, color="black", linewidth=1)
ax.set(ylabel="accuracy of 100 users", ylim=(0, 1.05))
ax.legend(frameon=False, ncols=3, loc="lower center", bbox_to_anchor=(0.5, 1.0))
plt.show()

# %%
# The black lines are the best possible accuracy. :doc:`/user_guide/estimators` tells
# when a generator is worth its time.
