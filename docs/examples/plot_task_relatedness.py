"""
Does one attribute help to predict another?
===========================================

Learning tasks together pays where they are related. Look before you share layers.
"""

# %%
# Four attributes of synthetic users, two of them made to go together: more than half of
# the users have the job that their age decides.
import numpy as np

from sklearn_profiling.datasets import make_user_profiles

users = make_user_profiles(500, random_state=0)
target = users.target.copy()
usual = {"-1979": "教育", "1980-1989": "商业", "1990+": "学生"}
draw = np.random.default_rng(0).random(len(target)) < 0.6
target.loc[draw, "occupation"] = target.loc[draw, "age"].map(usual)
target = target.rename(columns={"occupation": "job"})

# %%
# The gain in accuracy of each row from knowing the label of each column, on held-out
# users. Without an estimator there is nothing else to predict from.
import matplotlib.pyplot as plt

from sklearn_profiling.evaluation import TaskRelatednessDisplay

figure, ax = plt.subplots(figsize=(5.5, 4.5), layout="constrained")
TaskRelatednessDisplay.from_estimator(None, users.data, target, cv=3, ax=ax)
plt.show()

# %%
# As a table, with the lower ends of intervals over resampled users: what is not above 0
# may be chance.
from sklearn_profiling.evaluation import task_relatedness

found = task_relatedness(users.data, target, cv=3)
found["low"].round(3)

# %%
# :class:`~sklearn_profiling.baselines.MetaLearningClassifier` asks the same of whole
# systems: its second stage reads what the first predicts of the other tasks.
from sklearn_profiling.baselines import make_meta_learning_baseline, make_svm_baseline
from sklearn_profiling.evaluation import compare

two = target[["age", "job"]]
systems = {"SVM": make_svm_baseline(), "meta-learning": make_meta_learning_baseline()}
print(compare(systems, users.data, two, cv=3))
