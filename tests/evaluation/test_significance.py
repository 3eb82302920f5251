"""Paired tests against scipy and by hand; what cannot be tested is refused."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
import pandas as pd
import pytest
from scipy import stats

from sklearn_profiling.evaluation import Comparison, PairedTest, paired_test

FIRST = [0.81, 0.80, 0.84, 0.79, 0.83]
SECOND = [0.78, 0.79, 0.80, 0.78, 0.79]


@pytest.mark.parametrize("seed", range(5))
def test_the_t_test_is_scipys(seed: int) -> None:
    first, second = np.random.default_rng(seed).normal(size=(2, 7))
    found = paired_test(first, second)
    expected = stats.ttest_rel(first, second)
    assert found.statistic == pytest.approx(expected.statistic, rel=1e-12)
    assert found.p_value == pytest.approx(expected.pvalue, rel=1e-10)
    assert found.difference == pytest.approx((first - second).mean())
    assert found.n == 7


def test_the_corrected_test_by_hand() -> None:
    # Differences .03 .01 .04 .01 .04: mean .026, squared deviations sum to .00092.
    statistic = 0.026 / math.sqrt(0.00092 / 4 * (1 / 5 + 0.2 / 0.8))
    found = paired_test(FIRST, SECOND, method="corrected", test_fraction=0.2)
    assert found.statistic == pytest.approx(statistic)
    # The distribution function of t with 4 degrees of freedom in closed form.
    x = statistic / math.sqrt(4 + statistic**2)
    assert found.p_value == pytest.approx(1 - (1.5 * x - 0.5 * x**3))


def test_the_correction_only_makes_it_harder() -> None:
    plain = paired_test(FIRST, SECOND).p_value
    values = [
        paired_test(FIRST, SECOND, method="corrected", test_fraction=f).p_value
        for f in (1e-9, 0.1, 0.2, 0.5)
    ]
    assert values[0] == pytest.approx(plain, rel=1e-6)
    assert values == sorted(values)


def test_swapping_the_systems_swaps_the_sign() -> None:
    one, other = paired_test(FIRST, SECOND), paired_test(SECOND, FIRST)
    assert other.statistic == -one.statistic
    assert other.p_value == one.p_value


def test_identical_scores_do_not_differ() -> None:
    assert paired_test(FIRST, FIRST) == PairedTest(0.0, 1.0, 0.0, 5)
    assert paired_test([0, 0], [0, 0]).p_value == 1.0


def test_a_difference_without_spread_is_certain() -> None:
    found = paired_test([0.3, 0.4, 0.9], [0.2, 0.3, 0.8])
    assert (found.statistic, found.p_value) == (math.inf, 0.0)
    assert paired_test([0.1, 0.2], [0.2, 0.3]).statistic == -math.inf


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (([1, 2], [1, 2, 3]), r"same length.*shapes \(2,\) and \(3,\)"),
        (([[1, 2]], [[1, 2]]), r"two sequences"),
        (([1], [2]), "2 folds or seeds at least; got 1"),
        (([], []), "2 folds or seeds at least; got 0"),
        (([1, 2, 3], [1, np.nan, 3]), "second must hold finite scores; number 1 is"),
        (([1, np.inf], [1, 2]), "first must hold finite scores; number 1 is inf"),
    ],
)
def test_scores_that_cannot_be_tested(arguments: tuple, message: str) -> None:
    with pytest.raises(ValueError, match=message):
        paired_test(*arguments)


@pytest.mark.parametrize("fraction", [None, 0, 1, -0.1, 1.5, math.nan])
def test_the_correction_needs_the_tested_share(fraction: float | None) -> None:
    with pytest.raises(ValueError, match=r"test_fraction.*1 / k for k folds.*got"):
        paired_test(FIRST, SECOND, method="corrected", test_fraction=fraction)


def test_unknown_method() -> None:
    with pytest.raises(ValueError, match=r"\['corrected', 't'\]; got 'z'"):
        paired_test(FIRST, SECOND, method="z")  # type: ignore[arg-type]


def scores(values: dict[str, dict[str, list[float]]]) -> Comparison:
    """Make a comparison of system -> task -> a score per fold."""
    return Comparison(
        pd.DataFrame(
            [
                {
                    "system": system,
                    "fold": fold,
                    "task": task,
                    "metric": metric,
                    "value": value,
                    "n_labelled": 20 if task == "age" else 10,
                    "n_train": 80 if task == "age" else 90,
                    "fit_seconds": 0.0,
                    "predict_seconds": 0.0,
                    "error": "no luck" if math.isnan(value) else None,
                }
                for system, tasks in values.items()
                for task, folds in tasks.items()
                for fold, value in enumerate(folds)
                for metric in ("macro_precision", "macro_recall", "f_of_averages")
            ]
        )
    )


COMPARED = scores(
    {
        "ours": {"age": FIRST, "gender": FIRST},
        "theirs": {"age": SECOND, "gender": FIRST},
        "broken": {"age": [math.nan, *SECOND[1:]], "gender": [math.nan, *FIRST[1:]]},
        "far": {"age": [s - 0.2 for s in SECOND], "gender": [0.1] * 5},
    }
)


def test_the_table_of_p_values() -> None:
    table = COMPARED.significance("ours", "f_of_averages")
    assert list(table.columns) == ["age", "gender", "average"]
    expected = paired_test(FIRST, SECOND, method="corrected", test_fraction=0.2)
    assert table.loc["theirs", "age"] == pytest.approx(expected.p_value)
    assert table.loc["theirs", "gender"] == 1.0
    # 30 of 200 labels are tested, over both tasks.
    half = [s / 2 for s in (0.03, 0.01, 0.04, 0.01, 0.04)]
    expected = paired_test(half, [0] * 5, method="corrected", test_fraction=0.15)
    assert table.loc["theirs", "average"] == pytest.approx(expected.p_value)
    assert table.loc["ours"].isna().all()
    assert np.isnan(table.loc["broken", "age"])
    plain = COMPARED.significance("ours", "f_of_averages", method="t")
    assert plain.loc["theirs", "age"] == pytest.approx(
        paired_test(FIRST, SECOND).p_value
    )


def test_a_failed_reference_tests_nothing() -> None:
    table = COMPARED.significance("broken", "f_of_averages")
    assert table["age"].isna().all()


def test_marks_and_their_legend() -> None:
    lines = COMPARED.to_string(
        "f_of_averages", reference="ours", method="t"
    ).splitlines()
    marks = {line.split()[0]: line for line in lines}
    assert "0.788 ± 0.008* " in marks["theirs"]
    assert "0.588 ± 0.008**" in marks["far"]
    assert "*" not in marks["ours"]
    assert lines[5] == (
        "differs from ours: * p < 0.05, ** p < 0.01 (paired t-test, 5 folds, not "
        "corrected for 3 tests)"
    )
    assert lines[6] == "broken failed in fold 0: no luck"
    assert "*" not in COMPARED.to_string("f_of_averages")


def test_marks_are_corrected() -> None:
    same = {f"theirs {k}": {"age": SECOND} for k in range(6)}
    many = scores({"ours": {"age": FIRST}, **same})
    options: dict[str, Any] = {"reference": "ours", "method": "t"}
    plain = many.to_string("f_of_averages", **options)
    assert "0.788 ± 0.008* " in plain
    assert "(paired t-test, 5 folds, not corrected for 6 tests)" in plain
    corrected = many.to_string("f_of_averages", correction="holm", **options)
    assert "0.788 ± 0.008* " not in corrected
    legend = "(paired t-test, 5 folds, Holm's correction)"
    assert legend in corrected
    assert legend in COMPARED.prf_to_string(correction="holm", **options)


def test_precision_recall_and_f() -> None:
    table = COMPARED.prf_table()
    assert list(table.columns) == [
        (task, letter) for task in ("age", "gender") for letter in "PRF"
    ]
    assert table.loc["theirs", ("age", "F")] == pytest.approx(np.mean(SECOND))
    spread = COMPARED.prf_table(spread=True)
    assert spread.loc["theirs", ("age", "R")] == pytest.approx(np.std(SECOND, ddof=1))
    lines = COMPARED.prf_to_string(reference="ours", method="t").splitlines()
    assert lines[0].split() == ["age", "gender"]
    assert lines[1].split() == [*"PRF", *"PRF"]
    assert lines[3].split() == ["theirs", "0.788", "0.788", "0.788*", *[">0.814"] * 3]
    assert lines[4].split()[:4] == ["broken", "failed", "failed", "failed"]
    assert "*" not in COMPARED.prf_to_string()
    with pytest.raises(ValueError, match=r"\['f_of_averages'\]|got 'macro_f1'"):
        COMPARED.prf_table(definition="average_of_f")
    with pytest.raises(ValueError, match="definition must be one of"):
        COMPARED.prf_table(definition="f")  # type: ignore[arg-type]


def test_unknown_reference_and_method() -> None:
    with pytest.raises(ValueError, match=r"reference must be one of .*; got 'x'"):
        COMPARED.significance("x", "f_of_averages")
    with pytest.raises(ValueError, match="method must be one of"):
        COMPARED.significance("ours", "f_of_averages", method="z")  # type: ignore[arg-type]


def test_one_fold_cannot_be_tested() -> None:
    single = scores({"a": {"age": [0.5]}, "b": {"age": [0.6]}})
    with pytest.raises(ValueError, match="2 folds or seeds at least"):
        single.to_string("f_of_averages", reference="a")
