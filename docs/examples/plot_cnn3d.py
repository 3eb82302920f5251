"""
A 3D-CNN over users' pictures
=============================

The 3D-CNN of Valdez-Rodriguez et al. (2019) stacks the pictures of a user into a volume
and convolves over its depth as well. Is it worth more than reading picture by picture?
"""

# %%
# Users who show handwritten digits. Which digits are frequent tells their taste, a
# single 0 among the pictures decides "zero", and "coin" is a control task that nothing
# tells. A tenth show no picture at all.
from sklearn_profiling.datasets import make_image_users

users = make_image_users(300, missing_images=0.1, random_state=0)
users.data["images"].map(len, na_action="ignore").describe().round(1)

# %%
# The system of the paper is a Pipeline from pictures to labels. Small pictures and few
# filters keep this page quick. ``classifier__variant=2`` is the paper's Model 2, which
# is deeper and needs about twice the epochs. The image set keeps its usual filters, so
# these settings are compared, not the ideas alone.
from sklearn_profiling.baselines import make_majority_baseline
from sklearn_profiling.estimators import ImageSetClassifier
from sklearn_profiling.pipelines import make_cnn3d

quick = {"sources__images__size": (16, 16), "classifier__max_epochs": 25}
volume = make_cnn3d(random_state=0).set_params(
    **quick, classifier__n_filters=8, classifier__image_order="random"
)
images = make_cnn3d(classifier=ImageSetClassifier(random_state=0)).set_params(**quick)
volume

# %%
# All on the same folds. ``preset="paper"`` has the paper's learning rate of 0.05 and
# its 100 epochs; see :doc:`/settings`.
from sklearn_profiling.evaluation import MultiTaskStratifiedKFold, compare

systems = {
    "majority": make_majority_baseline(),
    "3D-CNN": volume,
    "image set": images,
}
folds = MultiTaskStratifiedKFold(2, random_state=0)
result = compare(systems, users.data, users.target, cv=folds)
print(result)

# %%
# The black lines are the best possible accuracy.
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
# Did 25 epochs suffice? A curve that still falls says no.
from sklearn_profiling.evaluation import TrainingCurveDisplay

model = volume.fit(users.data[:200], users.target[:200])
TrainingCurveDisplay.from_estimator(model[-1])
plt.show()

# %%
# Pictures of a user have no order, so a convolution over their depth finds neighbours
# that mean nothing; ``image_order="random"`` draws a new order for every batch. A set
# is read without one, and its attention tells
# :doc:`which pictures counted </auto_examples/plot_image_users>`.
