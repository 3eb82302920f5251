"""
Poets, end to end
=================

From a folder with texts, links and labels with gaps to a compared, examined and saved
model: who wrote in which dynasty and era, and what was their occupation?
"""

# %%
# The folder
# ----------
#
# ``users.jsonl`` has a poet a line, with poems and labels; ``links.tsv`` says who names
# whom in a title. The poets, 2,696 of the Tang and Song from the collection
# chinese-poetry (MIT licence), are not part of the package. If the folder
# ``SKLEARN_PROFILING_DATA`` has them as ``poets``, they are read; else this page makes
# synthetic users with the same columns, and the numbers are theirs.
import os
import tempfile
from pathlib import Path

from sklearn_profiling.datasets import dump_records, make_user_profiles

folder = Path(os.environ.get("SKLEARN_PROFILING_DATA", "data")) / "poets"
if not folder.is_dir():
    folder = Path(tempfile.mkdtemp())
    made = make_user_profiles(600, missing_labels=0.2, random_state=0)
    made.target = made.target.drop(columns="region").set_axis(
        ["dynasty", "era", "occupation"], axis=1
    )
    made.target = made.target.replace({"dynasty": {"f": "tang", "m": "song"}})
    dump_records(made, folder)
sorted(path.name for path in folder.iterdir())

# %%
# Read it
# -------
#
# The labels that are missing stay missing; no poet is dropped for them. 240 poets are
# enough for this page.
import pandas as pd

from sklearn_profiling.datasets import load_records

users = load_records(folder)
tasks = ["dynasty", "era", "occupation"]
X, y = users.data[["user_id", "messages"]][:240], users.target[tasks][:240]
linked = X["user_id"].isin(users.graph.ids)
print(users.graph)
pd.DataFrame({"labelled": y.notna().sum(), "classes": y.nunique()}).assign(
    majority=[y[task].value_counts(normalize=True).iloc[0] for task in tasks]
).round(3)

# %%
# Poets without links are predicted from their poems alone:
print(f"{linked.sum()} of {len(X)} poets have links")

# %%
# Is a character a word? The text decides.
from sklearn_profiling.sources import choose_segmenter

print(choose_segmenter(X["messages"]))

# %%
# Compare
# -------
#
# All systems see the same folds. The recommended system comes last.
from sklearn_profiling.baselines import (
    make_link_baseline,
    make_majority_baseline,
    make_tfidf_baseline,
)
from sklearn_profiling.evaluation import MultiTaskStratifiedKFold, compare
from sklearn_profiling.pipelines import make_profiler

folds = MultiTaskStratifiedKFold(3, random_state=0)
systems = {
    "majority": make_majority_baseline(),
    "links": make_link_baseline(users.graph),
    "poems": make_tfidf_baseline(),
    "profiler": make_profiler(users.graph, random_state=0),
}
result = compare(systems, X, y, cv=folds)
print(result)

# %%
# With intervals over the folds:
import matplotlib.pyplot as plt

result.plot()
plt.show()

# %%
# Look at the mistakes
# --------------------
#
# The tf-idf baseline is quick to fit again, so it serves here; any system of the table
# would do.
#
# Out-of-fold predictions: no poet is predicted by a model that was trained on the
# poet's labels. Which eras are taken for which, and is a probability what it says?
from sklearn_profiling.evaluation import (
    ReliabilityDisplay,
    TaskConfusionDisplay,
    cross_val_predict_proba,
)

model = systems["poems"]
found = cross_val_predict_proba(model, X, y, cv=folds)
figure, axes = plt.subplots(1, 2, figsize=(10, 4.5), layout="constrained")
TaskConfusionDisplay.from_predictions(
    y, pd.DataFrame(found.predictions, columns=tasks), task="era", ax=axes[0]
)
ReliabilityDisplay.from_predictions(
    y, found.probabilities, found.classes, task="era", n_bins=5, ax=axes[1]
)
plt.show()

# %%
# Why this label?
# ---------------
#
# A poet whom the model has not seen, and what moved the prediction.
from sklearn_profiling.evaluation import explain

model.fit(X[:200], y[:200])
found = explain(model, X[200:201], task="dynasty", levels=["message", "word"])
print(found.to_string(3))

# %%
# Keep it
# -------
#
# The best system, trained on all 240, in a file that runs no code when it is read. It
# predicts poets whom it has not seen.
from sklearn_profiling.persistence import load, save

best = systems[result.table()["average"].idxmax()].fit(X, y)
with tempfile.TemporaryDirectory() as place:
    save(best, Path(place) / "poets.model")
    read = load(Path(place) / "poets.model")
new = users.data[["user_id", "messages"]][-3:]
pd.DataFrame(read.predict(new), index=new["user_id"], columns=tasks)

# %%
# :doc:`/real_users` has all poets, tasks and systems, in five folds.
