"""Data sets: loaders, writers and generators of users.

Each loader and generator returns a :class:`sklearn.utils.Bunch` with ``data`` (a
DataFrame, one row a user), ``target`` (a DataFrame of labels, None where missing),
``graph`` (a SocialGraph or None), ``target_names``, ``DESCR`` and ``report`` (counts of
all that was read, skipped and missing).
"""

from sklearn_profiling.datasets.mex_a3t.load import load_mex_a3t
from sklearn_profiling.datasets.pan.dump import dump_pan_predictions
from sklearn_profiling.datasets.pan.load import load_pan
from sklearn_profiling.datasets.records.dump import dump_records
from sklearn_profiling.datasets.records.frames import users_from_messages
from sklearn_profiling.datasets.records.load import load_records
from sklearn_profiling.datasets.records.streaming import stream_records
from sklearn_profiling.datasets.smpcup2016.dump import dump_smpcup2016
from sklearn_profiling.datasets.smpcup2016.load import load_smpcup2016
from sklearn_profiling.datasets.synthetic.images import make_image_users
from sklearn_profiling.datasets.synthetic.reviewers import make_reviewers
from sklearn_profiling.datasets.synthetic.users import make_user_profiles
from sklearn_profiling.datasets.yelp.load import load_yelp
from sklearn_profiling.datasets.yelp.split import split_yelp

__all__ = [
    "dump_pan_predictions",
    "dump_records",
    "dump_smpcup2016",
    "load_mex_a3t",
    "load_pan",
    "load_records",
    "load_smpcup2016",
    "load_yelp",
    "make_image_users",
    "make_reviewers",
    "make_user_profiles",
    "split_yelp",
    "stream_records",
    "users_from_messages",
]
