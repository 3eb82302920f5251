"""The 3D-CNN as a Pipeline, and the systems that read images."""

from __future__ import annotations

import numpy as np
import pytest
from PIL import Image
from sklearn.base import clone
from sklearn.model_selection import GridSearchCV

from sklearn_profiling.datasets import make_image_users
from sklearn_profiling.estimators import CNN3DClassifier, ImageSetClassifier
from sklearn_profiling.evaluation import MultiTaskStratifiedKFold
from sklearn_profiling.pipelines import make_cnn3d, make_image_systems
from sklearn_profiling.sources import ImageBagTransformer


@pytest.fixture(scope="module")
def users():
    return make_image_users(
        40, missing_labels=0.2, missing_images=0.1, n_images=(1, 3), random_state=0
    )


def quick(**params):
    net = {"n_filters": 2, "n_shared": 8, "n_hidden": (), "max_epochs": 2}
    return make_cnn3d(random_state=0, **params).set_params(
        sources__images__size=(16, 16),
        **{f"classifier__{name}": value for name, value in net.items()},
    )


def test_from_users_to_predictions(users):
    model = quick().fit(users.data.iloc[:30], users.target.iloc[:30])
    found = model.predict_proba(users.data)
    assert [p.shape for p in found] == [(40, 3), (40, 2), (40, 2)]
    again = clone(model).fit(users.data.iloc[:30], users.target.iloc[:30])
    for a, b in zip(found, again.predict_proba(users.data), strict=True):
        assert np.isfinite(a).all()
        assert np.array_equal(a, b)
    renamed = users.data.rename(columns={"images": "photos"})
    other = quick(image_column="photos").fit(renamed, users.target)
    assert other.predict(renamed).shape == (40, 3)


def test_parts_can_be_replaced():
    model = make_cnn3d()
    assert model.get_params()["sources__images"].size == (64, 64)
    assert type(model.named_steps["classifier"]) is CNN3DClassifier
    own = make_cnn3d(
        images=ImageBagTransformer(size=(8, 8)), classifier=ImageSetClassifier()
    )
    assert own.get_params()["sources__images__size"] == (8, 8)
    assert type(own.named_steps["classifier"]) is ImageSetClassifier


def test_a_grid_search_caches_where_it_is_told(users, tmp_path):
    memory = tmp_path / "memory"

    def saved(image):
        path = tmp_path / f"{len(list(tmp_path.iterdir()))}.png"
        Image.fromarray(image).save(path)
        return path

    files = [
        None if row is None else [*map(saved, row)] for row in users.data["images"]
    ]
    data = users.data.assign(images=files)
    model = quick(memory=str(memory))
    assert model.get_params()["sources__images__memory"] == str(memory)
    search = GridSearchCV(
        model,
        {"classifier__variant": [1, 2]},
        cv=MultiTaskStratifiedKFold(2),
        error_score="raise",
    ).fit(data, users.target)
    assert set(search.best_params_) == {"classifier__variant"}
    plain = quick().set_params(**search.best_params_).fit(data, users.target)
    for a, b in zip(plain.predict_proba(data), search.predict_proba(data), strict=True):
        assert np.array_equal(a, b)
    assert sum(path.stat().st_size for path in memory.rglob("*") if path.is_file())


def test_systems_share_what_they_are_given():
    systems = make_image_systems(
        n_filters=(2, 3),
        text_column="posts",
        image_column="photos",
        text_parameters={"n_filters": 5},
        random_state=0,
        max_epochs=4,
    )
    assert list(systems) == [
        "Majority class",
        "3D-CNN, Model 1",
        "3D-CNN, Model 2",
        "Image set",
        "Images and text, gated",
    ]
    nets = [system.named_steps["classifier"] for system in list(systems.values())[1:]]
    assert [net.max_epochs for net in nets] == [4, 8, 4, 4]
    assert len({net.random_state for net in nets}) == 1
    assert [net.n_filters for net in nets] == [2, 3, (16, 32, 64), 5]
    assert [nets[1].variant, nets[3].n_filters_image] == [2, 2]
    assert [nets[k].image_order for k in (0, 1, 3)] == ["random"] * 3
    columns = [c for _, _, c in systems["Images and text, gated"][0].sources]
    assert columns == ["posts", "photos"]
    assert len(make_image_systems()) == 4
    own = make_image_systems(image_order="given")["3D-CNN, Model 2"]
    assert own.named_steps["classifier"].n_filters is None
    assert own.named_steps["classifier"].image_order == "given"
