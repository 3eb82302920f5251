"""
Grid search over a whole pipeline
=================================

Preparation and classifier are one Pipeline, so a grid may hold parameters of both. The
score that is reported comes from folds that the search has not seen.
"""

# %%
# Every step has a name, and every parameter one that begins with it.
from sklearn_profiling.baselines import make_link_baseline
from sklearn_profiling.datasets import make_user_profiles

users = make_user_profiles(300, missing_labels=0.2, random_state=0)
pipeline = make_link_baseline(users.graph)
pipeline

# %%
# How links are scaled is a parameter of the first step, how strongly the classifier is
# regularised one of the second. ``MultiTaskStratifiedKFold`` copes with the missing
# labels.
from sklearn.model_selection import GridSearchCV

from sklearn_profiling.evaluation import MultiTaskStratifiedKFold, TaskScorer

search = GridSearchCV(
    pipeline,
    {
        "links__adjacency__normalize": ["degree", "l2", "symmetric"],
        "classifier__estimator__C": [0.1, 0.5, 2.0, 10.0, 50.0],
    },
    cv=MultiTaskStratifiedKFold(3, random_state=0),
    scoring=TaskScorer("accuracy"),
)
search.fit(users.data, users.target)
print(search.best_params_)

# %%
# The whole grid.
import matplotlib.pyplot as plt
import pandas as pd

results = pd.DataFrame(search.cv_results_)
table = results.pivot_table(
    "mean_test_score",
    "param_links__adjacency__normalize",
    "param_classifier__estimator__C",
)
figure, ax = plt.subplots(figsize=(6, 3), layout="constrained")
image = ax.imshow(table, cmap="cividis")
ax.set_xticks(range(len(table.columns)), table.columns)
ax.set_yticks(range(len(table.index)), table.index)
ax.set(xlabel="C", ylabel="normalize")
middle = table.to_numpy().mean()
for row, scores in enumerate(table.to_numpy()):
    for column, score in enumerate(scores):
        colour = "black" if score > middle else "white"
        ax.text(column, row, f"{score:.3f}", ha="center", va="center", color=colour)
plt.show()

# %%
# ``best_score_`` is the best of fifteen, so it is too good. Given to ``compare``, the
# search is repeated within each training part.
from sklearn_profiling.evaluation import compare

result = compare(
    {"default": pipeline, "searched": search}, users.data, users.target, cv=3
)
print(f"best_score_ {search.best_score_:.3f}")
print(result)
