"""
Missing labels, messages and links, all at once
===============================================

Nobody is dropped and nothing is imputed. What does it cost?
"""

# %%
# The same 500 users, complete, and with ever more of everything missing.
from sklearn_profiling.datasets import make_user_profiles

shares = [0.0, 0.2, 0.4, 0.6]
complete = make_user_profiles(500, random_state=0)
damaged = {
    share: make_user_profiles(
        500,
        missing_labels=share,
        missing_text=share,
        missing_network=share,
        random_state=0,
    )
    for share in shares
}
worst = damaged[0.6]
print(worst.target.isna().mean().round(2).to_dict())
worst.data["messages"].map(lambda cell: cell is None or len(cell) == 0).mean()

# %%
# A user of whom nothing is known still gets a prediction, the largest classes.
import pandas as pd

from sklearn_profiling.pipelines import make_profiler

model = make_profiler(worst.graph, random_state=0)
model.fit(worst.data[:400], worst.target[:400])
nobody = pd.DataFrame({"user_id": ["nobody"], "messages": [None]})
print(model.predict(nobody))

# %%
# Train on 400 users with what is left of them, and test on the other hundred, against
# their complete labels.
from sklearn_profiling.baselines import make_link_baseline, make_tfidf_baseline
from sklearn_profiling.evaluation import accuracy_per_task

found = {}
for share, users in damaged.items():
    systems = {
        "messages": make_tfidf_baseline(),
        "links": make_link_baseline(users.graph),
        "profiler": make_profiler(users.graph, random_state=0),
    }
    for name, system in systems.items():
        system.fit(users.data[:400], users.target[:400])
        predicted = system.predict(users.data[400:])
        found[share, name] = accuracy_per_task(complete.target[400:], predicted).mean()
table = pd.Series(found).unstack()
table.round(3)

# %%
# The system that reads both sources stays ahead, and has most to lose.
import matplotlib.pyplot as plt

figure, ax = plt.subplots(figsize=(6, 3.5), layout="constrained")
table.plot(ax=ax, marker="o")
ax.set(xlabel="share that is missing", ylabel="mean accuracy of four tasks")
ax.legend(frameon=False)
plt.show()
