"""
A map of the network
====================

LINE places linked users close to each other, from links alone. If a map of its vectors
shows an attribute, so will a classifier that reads them.
"""

# %%
# In these users age shows mostly in the network, and gender not at all.
from sklearn_profiling.datasets import make_user_profiles
from sklearn_profiling.sources import LINEEmbedding

users = make_user_profiles(600, network_noise=0.4, random_state=0)
line = LINEEmbedding(users.graph, 32, solver="spectral", random_state=0)
vectors = line.fit_transform(users.data["user_id"])
print(users.graph, vectors.shape)

# %%
# Two dimensions of the vectors, coloured by two attributes.
import matplotlib.pyplot as plt

from sklearn_profiling.evaluation import NetworkMapDisplay

figure, axes = plt.subplots(1, 2, figsize=(10, 4.5), layout="constrained")
for ax, task in zip(axes, ["age", "gender"], strict=True):
    NetworkMapDisplay.from_vectors(vectors, users.target, task=task, ax=ax)
    ax.set_title(task)
plt.show()

# %%
# The map is a picture of all users, with no test in it. This is the test: links alone
# against the majority class, on the same folds.
from sklearn_profiling.baselines import make_link_baseline, make_majority_baseline
from sklearn_profiling.evaluation import compare

systems = {
    "majority": make_majority_baseline(),
    "links": make_link_baseline(users.graph),
}
print(compare(systems, users.data, users.target[["age", "gender"]], cv=3))
