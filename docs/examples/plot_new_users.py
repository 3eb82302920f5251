"""
New users with links to known ones
==================================

A system was trained in spring; in autumn, new users join and follow known ones. Their
links are worth something without training again.
"""

# %%
# The last eighty users were not there in training, and nor were their links. Accounts
# that are not to be predicted, such as those of celebrities, stay in the network: who
# follows them tells a lot.
import numpy as np

from sklearn_profiling.datasets import make_user_profiles
from sklearn_profiling.pipelines import make_mmlup, predict_proba_with_links

users = make_user_profiles(480, network_noise=0.4, random_state=0)
known, new = users.data[:400], users.data[400:]
before = users.graph.subgraph(np.setdiff1d(users.graph.ids, new["user_id"]))
model = make_mmlup(before, random_state=0).set_params(
    sources__topics="drop",
    sources__network__solver="spectral",
    sources__network__n_components=64,
)
model = model.fit(known, users.target[:400])

# %%
# From their messages alone, and with their links to known users, of which LINE makes
# vectors in the space that the net has learned to read.
import pandas as pd

from sklearn_profiling.evaluation import accuracy_per_task

ways = {
    "messages alone": model.predict_proba(new),
    "with links": predict_proba_with_links(model, new, users.graph),
}
found = {}
for name, probabilities in ways.items():
    labels = [
        classes[p.argmax(axis=1)]
        for classes, p in zip(model.classes_, probabilities, strict=True)
    ]
    found[name] = accuracy_per_task(users.target[400:], np.stack(labels, axis=1))
table = pd.DataFrame(found, index=users.target.columns)
table.round(3)

# %%
# Attributes that show in the network gain.
import matplotlib.pyplot as plt

figure, ax = plt.subplots(figsize=(6, 3.5), layout="constrained")
table.plot.bar(ax=ax, rot=0)
ax.set(ylabel="accuracy of 80 new users", ylim=(0, 1))
ax.legend(frameon=False, ncols=2, loc="lower center", bbox_to_anchor=(0.5, 1.0))
plt.show()
