"""Users, written in two formats."""

from __future__ import annotations

import pytest

from sklearn_profiling.datasets import dump_records, dump_smpcup2016, make_user_profiles


@pytest.fixture(scope="module")
def users():
    return make_user_profiles(40, missing_labels=0.1, random_state=0)


@pytest.fixture(scope="module")
def smpcup(users, tmp_path_factory):
    folder = tmp_path_factory.mktemp("smpcup")
    dump_smpcup2016(users, folder)
    return folder


@pytest.fixture(scope="module")
def records(users, tmp_path_factory):
    folder = tmp_path_factory.mktemp("records")
    dump_records(users, folder)
    return folder
