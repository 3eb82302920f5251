"""
From your files to a compared model and predictions
===================================================

Twelve lines of Python, or two shell commands, lead from a CSV of tweets to a table of
cross-validated systems and to predictions in a CSV. After that the same for a folder
of PAN, for edges as SNAP publishes them and for a polars frame.
"""

# %%
# The files of this page
# ----------------------
#
# 150 made-up users write made-up tweets, and of some we know gender and age. With files
# of your own, skip this part.
import tempfile
from pathlib import Path

import numpy as np
import pandas as pd

WORDS = {
    "f": ["garden", "sister", "dress", "baking", "choir", "piano", "yoga", "tulips"],
    "m": ["match", "beer", "engine", "striker", "barbecue", "drums", "poker"],
    "young": ["exam", "campus", "party", "gaming", "roommate", "lol"],
    "old": ["grandson", "pension", "hospital", "retired", "museum", "church"],
}
COMMON = ["today", "really", "@ann", "love", "rain", "https://t.co/x", "#monday", "😀"]
COMMON += [word for words in WORDS.values() for word in words]
draw = np.random.default_rng(0)
folder = Path(tempfile.mkdtemp())
rows, links = [], []
for user in range(150):
    gender, age = draw.choice(["f", "m"]), draw.choice(["young", "old"])
    for _ in range(draw.integers(3, 8)):
        own = WORDS[gender] + WORDS[age]
        words = [*draw.choice(COMMON, 6), *draw.choice(own, 2)]
        rows.append((1000 + user, " ".join(draw.permutation(words)), gender, age))
    friends = draw.choice(np.arange(user % 5, 150, 5), 3)
    links += [(1000 + user, 1000 + friend) for friend in friends]
tweets = pd.DataFrame(rows, columns=["user_id", "text", "gender", "age"])
tweets.loc[tweets["user_id"] % 7 == 0, "age"] = None
tweets.to_csv(folder / "tweets.csv", index=False)
tweets[["user_id", "text"]].head(100).to_csv(folder / "new.csv", index=False)
print((folder / "tweets.csv").read_text("utf-8")[:300])

# %%
# Twelve lines of Python
# ----------------------
#
# One row is one tweet: the rows of a user are grouped by the id. A ``>`` stands before
# the best of each column. ``make_text_cnn`` trains
# :class:`~sklearn_profiling.estimators.TextCNNClassifier`.
from sklearn_profiling.baselines import make_majority_baseline, make_tfidf_baseline
from sklearn_profiling.datasets import load_records
from sklearn_profiling.evaluation import compare
from sklearn_profiling.pipelines import make_text_cnn

users = load_records(folder / "tweets.csv", tasks=["gender", "age"])
systems = {"majority": make_majority_baseline(), "tf-idf": make_tfidf_baseline()}
systems["Text-CNN"] = make_text_cnn(random_state=0).set_params(classifier__n_filters=8)
result = compare(systems, users.data, users.target, cv=3)
best = systems[result.table()["average"].idxmax()].fit(users.data, users.target)
new = load_records(folder / "new.csv")
predicted = pd.DataFrame(best.predict(new.data), index=new.data["user_id"])
predicted.set_axis(users.target.columns, axis=1).to_csv(folder / "predictions.csv")
print(result)

# %%
# The same as a picture, with intervals over the folds:
import matplotlib.pyplot as plt

result.plot()
plt.show()

# %%
# Users of another file need no labels:
print((folder / "predictions.csv").read_text("utf-8")[:80])

# %%
# What was read, and what was left out:
{name: users.report[name] for name in ("one_row", "columns", "n_messages")}

# %%
# Two shell commands
# ------------------
#
# ``compare`` prints the table and, with ``--model``, trains the best system on all
# users and writes it; ``predict`` reads it. ``--show`` prints three users as they were
# read, and stops.
import contextlib
import shlex

from sklearn_profiling.cli import main


def shell(command):
    """Run a command in the folder of the files."""
    print(f"$ {command}")
    with contextlib.chdir(folder):
        main(shlex.split(command)[1:])


shell(
    "sklearn-profiling compare tweets.csv --tasks gender age --systems majority tf-idf "
    "--folds 3 --model best.model"
)

# %%
shell("sklearn-profiling predict best.model new.csv --out predictions.csv")
print((folder / "predictions.csv").read_text("utf-8")[:300])

# %%
# ``known`` names the tasks whose label of a user was in training: those predictions
# test nothing.

# %%
# A folder of PAN
# ---------------
#
# One XML file an author and a ``truth.txt``: the labels of each year are recognised.
corpus = folder / "pan" / "en"
corpus.mkdir(parents=True)
truth = []
for user_id, own in tweets.groupby("user_id"):
    documents = "".join(
        f"<document><![CDATA[{text}]]></document>" for text in own["text"]
    )
    xml = f'<author lang="en"><documents>{documents}</documents></author>'
    (corpus / f"{user_id}.xml").write_text(xml, "utf-8")
    gender = {"f": "female", "m": "male"}[own["gender"].iloc[0]]
    truth.append(f"{user_id}:::{gender}\n")
(corpus / "truth.txt").write_text("".join(truth), "utf-8")

from sklearn_profiling.datasets import load_pan

two = {"majority": make_majority_baseline(), "tf-idf": make_tfidf_baseline()}
authors = load_pan(folder / "pan")
print(compare(two, authors.data, authors.target, cv=3))

# %%
# On the command line it is ``sklearn-profiling compare pan``.
# :func:`~sklearn_profiling.datasets.dump_pan_predictions` writes what the shared tasks
# ask for.

# %%
# Edges as SNAP publishes them
# ----------------------------
#
# Comments, blanks or tabs: the format is found by the content, and a graph in which
# hardly any user occurs is a warning. A table without text is fine.
edges = "# Undirected graph\n# FromNodeId\tToNodeId\n"
edges += "".join(f"{one}\t{other}\n" for one, other in links)
(folder / "edges.txt").write_text(edges, "utf-8")
nodes = tweets.drop_duplicates("user_id")[["user_id"]]
nodes = nodes.assign(group=[f"g{user % 5}" for user in nodes["user_id"]])
nodes.to_csv(folder / "labels.csv", index=False)

from sklearn_profiling.baselines import make_link_baseline

members = load_records(
    folder / "labels.csv",
    tasks=["group"],
    text_column=False,
    links=folder / "edges.txt",
)
print(members.graph, members.report["files"]["links"]["taken_for"])
linked = {
    "majority": make_majority_baseline(),
    "links": make_link_baseline(members.graph),
}
print(compare(linked, members.data, members.target, cv=3))

# %%
# A polars frame
# --------------
#
# Tables of polars and Arrow are taken wherever a DataFrame is. One row a message first
# becomes one row a user: a user in training and test would make any result look good.
import polars as pl

from sklearn_profiling.datasets import users_from_messages

frame = pl.from_pandas(tweets)
grouped = users_from_messages(
    frame, user="user_id", text="text", labels=["gender", "age"]
)
print(compare(two, grouped.data, grouped.target, cv=3))
