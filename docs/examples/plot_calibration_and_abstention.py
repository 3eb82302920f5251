"""
When is the model sure, and is it right then?
=============================================

A probability of 0.9 should be right nine times of ten. This page looks whether it is,
mends it, and leaves the users undecided of whom the model is least sure.
"""

# %%
# Synthetic users, some to train on and some that the model has not seen.
from sklearn_profiling.datasets import make_user_profiles
from sklearn_profiling.evaluation import multi_task_train_test_split

users = make_user_profiles(700, random_state=0)
X_train, X_test, y_train, y_test = multi_task_train_test_split(
    users.data, users.target, test_size=0.4, random_state=0
)

# %%
# A logistic regression that is hardly regularised is right as often as others, and far
# too sure of it. :class:`~sklearn_profiling.evaluation.TemperatureScaledClassifier`
# holds out users and fits one factor a task.
from sklearn_profiling.baselines import make_tfidf_baseline
from sklearn_profiling.evaluation import TemperatureScaledClassifier

raw = make_tfidf_baseline(loss="log", C=100.0).fit(X_train, y_train)
scaled = TemperatureScaledClassifier(
    make_tfidf_baseline(loss="log", C=100.0), random_state=0
).fit(X_train, y_train)

# %%
# A reliability diagram of one task: points on the diagonal mean what they say.
import matplotlib.pyplot as plt

from sklearn_profiling.evaluation import ReliabilityDisplay

figure, axes = plt.subplots(1, 2, figsize=(9, 4), layout="constrained")
for ax, (name, model) in zip(
    axes, {"as trained": raw, "temperature": scaled}.items(), strict=True
):
    ReliabilityDisplay.from_estimator(
        model, X_test, y_test, task="age", n_bins=5, ax=ax
    )
    ax.set_title(name)
plt.show()

# %%
# The same as numbers, for every task: the expected calibration error falls.
import pandas as pd

from sklearn_profiling.evaluation import calibration_report

pd.concat(
    {
        name: calibration_report(y_test, model.predict_proba(X_test), model.classes_)
        for name, model in {"as trained": raw, "temperature": scaled}.items()
    }
).round(3)

# %%
# Whoever may say "I do not know" is right more often. Each point of a curve is a share
# of users that get an answer, the surest first.
from sklearn_profiling.evaluation import risk_coverage

curve = risk_coverage(y_test, scaled.predict_proba(X_test), scaled.classes_)
print(curve.head())

# %%
figure, ax = plt.subplots(figsize=(6, 3.5), layout="constrained")
for task in y_test.columns:
    accuracy = curve.loc[task, "accuracy"]
    ax.plot(accuracy.index, accuracy, marker="o", label=task)
ax.legend(frameon=False)
ax.set(xlabel="share of users with an answer", ylabel="accuracy of the answers")
plt.show()

# %%
# :class:`~sklearn_profiling.evaluation.AbstainingClassifier` does that in ``predict``:
# ``None`` stands where it does not answer.
from sklearn_profiling.evaluation import AbstainingClassifier

careful = AbstainingClassifier(make_tfidf_baseline(), coverage=0.5, random_state=0)
careful.fit(X_train, y_train)
print(careful.predict(X_test)[:4])
