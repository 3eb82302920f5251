"""
More users than memory holds
============================

A Dask table is a table in partitions, of which only some are in memory. Users are
predicted partition by partition, with the same labels as in one piece, and the words of
a corpus are numbered by one vocabulary for all partitions.
"""

# %%
# Users lie in a folder of Parquet files, which keep the lists of messages.
from pathlib import Path
from tempfile import TemporaryDirectory

import dask.dataframe as dd
from dask.distributed import Client, LocalCluster

from sklearn_profiling.datasets import make_user_profiles

users = make_user_profiles(1200, random_state=0)
folder = TemporaryDirectory()
root = Path(folder.name)
(root / "users").mkdir()
for number in range(6):
    part = users.data.iloc[200 * number : 200 * (number + 1)]
    part.to_parquet(root / "users" / f"{number}.parquet")
frame = dd.read_parquet(root / "users")
print(frame.npartitions, "partitions")

# %%
# The workers are threads here; a script has processes on one machine or many, as the
# user guide shows. The model is trained on the first partition, and each worker gets it
# once.
from sklearn_profiling import dask as on_dask
from sklearn_profiling.baselines import make_tfidf_baseline

cluster = LocalCluster(n_workers=2, processes=False, dashboard_address=":0")
client = Client(cluster)
model = make_tfidf_baseline().fit(users.data[:200], users.target[:200])
on_dask.predict(model, frame).to_parquet(root / "labels")
labels = dd.read_parquet(root / "labels").compute()
labels.head()

# %%
# No user's label depends on the partition.
tasks = list(users.target)
print((labels[tasks].to_numpy(object) == model.predict(users.data)).all())

# %%
# How often each word is written, and by how many users, is added up over the
# partitions. Of the vocabulary, only the words that are wanted come to this process.
counts = on_dask.word_counts(frame).compute()
vocabulary = on_dask.fit_vocabulary(frame, min_count=5)
print(len(counts), "words, of which", len(vocabulary), "are written five times or more")

# %%
# As ever with words, few make up most of the text.
import matplotlib.pyplot as plt

ranked = counts["count"].sort_values(ascending=False).to_numpy()
figure, ax = plt.subplots(figsize=(6, 3.5), layout="constrained")
ax.loglog(range(1, len(ranked) + 1), ranked, ".", markersize=4)
ax.axhline(5, color="0.6", linestyle="--")
ax.annotate("min_count=5", (1, 5), textcoords="offset points", xytext=(0, 4))
ax.set(xlabel="rank of the word", ylabel="times written")
plt.show()

# %%
# Written with this vocabulary, the corpus is a table of numbers: one row a word.
words = on_dask.segment(frame, vocabulary)
words.to_parquet(root / "words")
print(dd.read_parquet(root / "words").head())
client.close()
cluster.close()
folder.cleanup()
