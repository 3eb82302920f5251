"""
Aux-LSTM: a task with few labels, helped by another
===================================================

Only a tenth of the users state their age, and hardly write of it. Their job is known
and shows in what they write, and jobs go with ages. Aux-LSTM trains on both.
"""

# %%
# Made-up users: words of the job in most messages, words of the age in few.
import numpy as np
import pandas as pd

rng = np.random.default_rng(0)
jobs = ["cook", "nurse", "pupil", "farmer", "coder", "clerk"]
usual = {"cook": "30s", "nurse": "30s", "pupil": "teens", "farmer": "60s"}
usual |= {"coder": "teens", "clerk": "60s"}
ages = ["teens", "30s", "60s"]


def one_user():
    job = rng.choice(jobs)
    age = usual[job] if rng.random() < 0.8 else rng.choice(ages)
    messages = []
    for _ in range(rng.integers(4, 10)):
        words = [f"word{n}" for n in rng.integers(0, 200, 8)]
        words += [f"{job}{n}" for n in rng.integers(0, 12, 2) if rng.random() < 0.5]
        words += [f"at{age}{n}" for n in rng.integers(0, 8, 1) if rng.random() < 0.1]
        messages.append(" ".join(rng.permutation(words)))
    return messages, age, job


users = pd.DataFrame(
    [one_user() for _ in range(1200)], columns=["messages", "age", "job"]
)
train, test = users[:800], users[800:]
y = train[["age", "job"]].copy()
y.loc[rng.random(800) > 0.1, "age"] = None
y.notna().sum()

# %%
# Word vectors are learned from all training users. LSTM sees the users who carry the
# label of age; Aux-LSTM the others too, by the labels of their jobs.
from sklearn.pipeline import make_pipeline

from sklearn_profiling.estimators import AuxLSTMClassifier, LSTMClassifier
from sklearn_profiling.sources import Word2VecTransformer, WordSegmenter

words = make_pipeline(
    WordSegmenter(), Word2VecTransformer(32, min_count=2, random_state=0)
)
known, new = words.fit_transform(train["messages"]), words.transform(test["messages"])
settings = {"level": "message", "n_hidden": 32, "n_dense": 32, "max_epochs": 25}
found = {"majority": (test["age"] == y["age"].mode()[0]).mean()}
for name, model, labels in [
    ("LSTM", LSTMClassifier(random_state=0, **settings), y["age"]),
    ("Aux-LSTM", AuxLSTMClassifier(main_task="age", random_state=0, **settings), y),
]:
    predicted = np.asarray(model.fit(known, labels).predict(new)).reshape(len(test), -1)
    found[name] = (predicted[:, 0] == test["age"]).mean()
print(pd.Series(found).round(3))

# %%
# How often the age of 400 new users is found. One draw of users is an illustration and
# no proof: :doc:`/reproduction` has ten, with a test.
import matplotlib.pyplot as plt

figure, ax = plt.subplots(figsize=(5, 3), layout="constrained")
bars = ax.bar(
    list(found), list(found.values()), color=["grey", "tab:orange", "tab:blue"]
)
ax.bar_label(bars, fmt="%.2f")
ax.set(ylabel="accuracy of age", ylim=(0, 1))
plt.show()

# %%
# Where the other attribute is unrelated, it does not help: :doc:`plot_task_relatedness`
# looks at that first.
