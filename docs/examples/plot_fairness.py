"""
For whom does the model err?
============================

One accuracy hides many. This page compares groups of users, with intervals, and shows
why a gap between small groups may be none.
"""

# %%
# Users of two groups: those who write much, and those who write little. Nothing else
# differs.
import pandas as pd

from sklearn_profiling.baselines import make_tfidf_baseline
from sklearn_profiling.datasets import make_user_profiles

users = make_user_profiles(900, n_messages=12, random_state=0)
silent = users.data.index % 3 == 0
X = users.data.assign(
    messages=[
        messages[:2] if few else messages
        for messages, few in zip(users.data["messages"], silent, strict=True)
    ]
)
groups = pd.Series(["writes little" if few else "writes much" for few in silent])

# %%
# Trained on both, tested on both.
from sklearn_profiling.evaluation import group_report

model = make_tfidf_baseline().fit(X[:500], users.target[:500])
predicted = model.predict(X[500:])
report = group_report(
    users.target[500:], predicted, groups[500:].to_numpy(), random_state=0
)
report.by_group.round(3)

# %%
# Accuracy of each group and its 95 % interval. Where intervals overlap widely, chance
# is enough to explain the gap.
import matplotlib.pyplot as plt

table = report.by_group.reset_index()
names = table.columns[1]
tasks = list(users.target.columns)
figure, ax = plt.subplots(figsize=(7, 3.5), layout="constrained")
for place, (group, rows) in enumerate(table.groupby(names)):
    found = rows.set_index("task").loc[tasks]
    positions = [n + 0.2 * place - 0.1 for n in range(len(tasks))]
    spread = [found["accuracy"] - found["low"], found["high"] - found["accuracy"]]
    ax.errorbar(positions, found["accuracy"], spread, fmt="o", capsize=4, label=group)
ax.set_xticks(range(len(tasks)), tasks)
ax.set_ylabel("accuracy")
ax.legend(frameon=False)
plt.show()

# %%
# The largest differences, measure by measure. The silent users are worse off because
# there is less to read of them; no threshold repairs that, and saying so is better than
# predicting them all the same.
report.gaps.round(3).head(8)

# %%
# With a twentieth of the users, the same comparison says little: the intervals are
# wide.
few = slice(500, 520)
group_report(
    users.target[few], predicted[:20], groups[few].to_numpy(), random_state=0
).by_group.round(3)
