"""
MMLUP and its ablations
=======================

Which of its parts does the system of the MMLUP paper need on your users? Each ablation
of its Table 3 is a parameter.
"""

# %%
# Three hundred users, of whom text tells gender and occupation, and the network age and
# region.
from sklearn_profiling.datasets import make_user_profiles
from sklearn_profiling.pipelines import make_mmlup

users = make_user_profiles(300, missing_labels=0.1, random_state=0)
full = make_mmlup(users.graph, random_state=0).set_params(
    sources__network__solver="spectral"
)
full

# %%
# :class:`~sklearn_profiling.sources.SourceUnion` joins the sources that
# :class:`~sklearn_profiling.estimators.MMLUPClassifier` reads. Without the network, and
# without attention over messages:
from sklearn.base import clone

systems = {
    "full": full,
    "without network": clone(full).set_params(sources__network="drop"),
    "without attention": clone(full).set_params(classifier__attention=None),
}

# %%
# Beside them, what a net has to beat.
from sklearn_profiling.baselines import make_link_baseline, make_tfidf_baseline
from sklearn_profiling.evaluation import MultiTaskStratifiedKFold, compare

systems["tf-idf"] = make_tfidf_baseline()
systems["links"] = make_link_baseline(users.graph)
folds = MultiTaskStratifiedKFold(2, random_state=0)
result = compare(systems, users.data, users.target, cv=folds)
print(result)

# %%
# Age and region fall to the level of text without the network; gender does not need it.
import matplotlib.pyplot as plt

table = result.table("accuracy").drop(columns="average")
figure, ax = plt.subplots(figsize=(8, 3.5), layout="constrained")
table.T.plot.bar(ax=ax, width=0.8, rot=0)
for place, task in enumerate(table.columns):
    best = users.bayes_accuracy[task]
    ax.hlines(best, place - 0.45, place + 0.45, color="black", linewidth=1)
ax.set(ylabel="accuracy", ylim=(0, 1))
ax.legend(ncols=3, loc="lower center", bbox_to_anchor=(0.5, 1.0), frameon=False)
plt.show()

# %%
# The black lines are the best possible accuracy. With so few users the linear models
# are close to the net or ahead of it; :doc:`/reproduction` has larger data and the
# paper's numbers.
