"""
How far is a baseline from the best possible model?
===================================================

Synthetic users tell what no real data set can: the accuracy of a model that knows how
the users were made. Three baselines are compared on the same folds and drawn beside it.
"""

# %%
# Five hundred users, a fifth of whose labels are missing. Gender shows in the messages
# only, age mostly in the network, region in both.
from sklearn_profiling.datasets import make_user_profiles

users = make_user_profiles(500, missing_labels=0.2, random_state=0)
users.target.isna().mean().round(2)

# %%
# Every fold has its share of each class of each task; users without any label are in
# every training part.
from sklearn_profiling.baselines import (
    make_link_baseline,
    make_majority_baseline,
    make_tfidf_baseline,
)
from sklearn_profiling.evaluation import MultiTaskStratifiedKFold, compare

result = compare(
    {
        "majority": make_majority_baseline(),
        "messages": make_tfidf_baseline(max_features=5000),
        "links": make_link_baseline(users.graph),
    },
    users.data,
    users.target,
    cv=MultiTaskStratifiedKFold(3, random_state=0),
)
print(result)

# %%
# The black line is the best possible accuracy. Messages are needed for gender and links
# for age; what is left between a bar and its line is for better models to find.
import matplotlib.pyplot as plt
import numpy as np

means = result.table("accuracy").drop(columns="average")
spreads = result.table("accuracy", spread=True).drop(columns="average")
positions = np.arange(len(means.columns))
width = 0.8 / len(means)

figure, axes = plt.subplots(figsize=(7, 3.5), layout="constrained")
for number, system in enumerate(means.index):
    axes.bar(
        positions + (number - 1) * width,
        means.loc[system],
        width,
        yerr=spreads.loc[system],
        label=system,
    )
for position, task in zip(positions, means.columns, strict=True):
    axes.hlines(
        users.bayes_accuracy[task],
        position - 0.45,
        position + 0.45,
        color="black",
        label="best possible" if position == 0 else None,
    )
axes.set_xticks(positions, means.columns)
axes.set_ylabel("accuracy")
axes.set_ylim(0, 1)
axes.legend(ncols=4, loc="lower center", bbox_to_anchor=(0.5, 1.0), frameon=False)
plt.show()
