"""Reports against numbers worked out by hand, pandas and scipy."""

import itertools
import sys
from typing import Any
from xml.etree import ElementTree

import numpy as np
import optuna
import pandas as pd
import pytest
import scipy.stats
from markdown_it import MarkdownIt
from optuna.study import Study
from optuna.trial import FrozenTrial, TrialState

from optuna_predictor_rl import ComparisonReport, compare_searchers, repeat_comparison
from optuna_predictor_rl.comparison.statistics import (
    gain,
    mean_of_best,
    probability_of_being_best,
    standard_error,
)
from optuna_predictor_rl.study.attributes import SUGGESTION_SECONDS
from tests.optuna_predictor_rl.comparison.searches import ended, parabola
from tests.optuna_predictor_rl.trials import study_of


def finished(
    searcher: str,
    value: float | None,
    state: TrialState = TrialState.COMPLETE,
    *,
    seconds: float | None = None,
    **attributes: Any,
) -> FrozenTrial:
    timed = {} if seconds is None else {SUGGESTION_SECONDS: seconds}
    return ended(searcher, value, state, **timed, **attributes)


TRIALS = [
    finished("shared", None, TrialState.FAIL, seconds=1.0),
    finished("shared", 0.5, TrialState.PRUNED),
    finished("shared", 2.0, rows=10, seconds=0.5),
    finished("shared", 1.8, rows=10, seconds=1.5),
    finished("a", 1.0, rows=5, seconds=2.0),
    finished("a", 3.0, rows=7, seconds=4.0),
    finished("a", 0.1, TrialState.PRUNED, rows=1, seconds=0.0),
    finished("a", None, TrialState.FAIL),  # was killed
    finished("b", None, TrialState.FAIL, seconds=3.0),
]


def test_a_report_counts_and_sums_a_searchers_own_trials() -> None:
    report = ComparisonReport.of(study_of(*TRIALS), compute="rows")
    assert [result.name for result in report.searchers] == ["a", "b"]
    shared, a, b = report.shared, report["a"], report["b"]
    assert [r.n_trials.item() for r in (shared, a, b)] == [4, 3, 1]
    assert [r.n_pruned.item() for r in (shared, a, b)] == [1, 1, 0]
    assert [r.n_failed.item() for r in (shared, a, b)] == [1, 0, 1]
    assert [r.best.item() for r in (shared, a)] == [1.8, 1.0]
    assert [r.top_mean.item() for r in (shared, a)] == [1.9, 2.0]
    assert [r.compute.item() for r in (shared, a, b)] == [20.0, 13.0, 0.0]
    assert [r.suggestion_seconds.item() for r in (shared, a, b)] == [1.0, 2.0, 3.0]
    assert np.isnan(b.best)
    with pytest.raises(KeyError, match="No searcher is named 'c'"):
        report["c"]


def test_gains_are_over_the_first_complete_shared_trial_unless_told_otherwise() -> None:
    study = study_of(*TRIALS)
    assert ComparisonReport.of(study)["a"].gain.item() == -50.0
    assert ComparisonReport.of(study, baseline=4.0)["a"].gain.item() == -75.0
    gains = ComparisonReport.of(study, values_are_gains=True)
    assert gains["a"].gain.item() == pytest.approx(1.0)


def test_a_gain_over_a_gain_is_the_gain_over_its_network() -> None:
    ne, default, other = 0.63, 0.70, 0.66
    over_default = gain(ne, default, values_are_gains=False)
    other_over_default = gain(other, default, values_are_gains=False)
    found = gain(over_default, other_over_default, values_are_gains=True)
    assert found == pytest.approx(gain(ne, other, values_are_gains=False))
    assert np.isnan(gain(1.0, 0.0, values_are_gains=False))
    assert gain(-3.0, -2.0, values_are_gains=False) == -50.0


@pytest.mark.parametrize(("maximize", "expected"), [(False, 3.0), (True, 5.0)])
def test_the_top_are_the_five_best(maximize: bool, expected: float) -> None:
    values = [4.0, 2.0, 1.0, 3.0, 7.0, 5.0, 6.0]
    assert mean_of_best(values, 5, maximize=maximize) == expected
    assert mean_of_best([4.0, 2.0], 5, maximize=maximize) == 3.0
    assert np.isnan(mean_of_best([], 5, maximize=maximize))


def test_with_maximize_the_highest_is_the_best() -> None:
    report = ComparisonReport.of(study_of(*TRIALS, direction="maximize"))
    assert report["a"].best.item() == 3.0
    assert report["a"].gain.item() == 50.0
    assert "positive is better" in str(report)


def test_the_probability_of_being_best_is_that_of_all_paired_resamples() -> None:
    best = np.array([[1.0, 2.0, 3.0], [4.0, 1.0, 2.0], [2.0, 2.5, 0.0], [1.0, 1.5, 6.0]])
    wins = np.zeros(3)
    for drawn in itertools.product(range(4), repeat=4):
        means = best[list(drawn)].mean(axis=0)
        wins += (means == means.min()) / (means == means.min()).sum()
    for maximize, values in ((False, best), (True, -best)):
        found = probability_of_being_best(values, maximize=maximize)
        np.testing.assert_allclose(found, wins / 4**4, atol=0.02)


def test_the_bootstrap_is_paired() -> None:
    seeds = np.linspace(0.0, 100.0, 5)[:, None]  # far apart, but b is always a little better
    best = np.concatenate([seeds, seeds - 0.001], axis=1)
    np.testing.assert_array_equal(probability_of_being_best(best, maximize=False), [0.0, 1.0])


def test_ties_are_shared_and_seeds_without_a_value_left_out() -> None:
    tied = np.array([[1.0, 1.0], [2.0, 2.0], [0.0, np.nan]])
    np.testing.assert_array_equal(probability_of_being_best(tied, maximize=False), [0.5, 0.5])
    assert np.isnan(probability_of_being_best(tied[1:], maximize=False)).all()


def test_the_standard_error_is_scipys() -> None:
    values = np.random.default_rng(0).normal(size=(4, 3))
    np.testing.assert_allclose(standard_error(values), scipy.stats.sem(values))
    assert np.isnan(standard_error(values[:1])).all()


def two_seeds() -> list[Study]:
    return [
        study_of(finished("shared", base), finished("a", base - 1.0), finished("b", base - 0.5))
        for base in (2.0, 4.0)
    ]


def test_a_table_has_means_and_standard_errors_over_seeds() -> None:
    report = ComparisonReport.of(two_seeds())
    assert report.n_seeds == 2
    frame = report.to_dataframe().set_index("searcher")
    assert list(frame.index) == ["shared", "a", "b"]
    assert frame.loc["a", "best"] == 2.0
    assert frame.loc["a", "best_error"] == pytest.approx(scipy.stats.sem([1.0, 3.0]))
    assert frame.loc["a", "gain"] == pytest.approx((-50.0 - 25.0) / 2)
    assert frame.loc["a", "probability"] == 1.0
    each = report.to_dataframe(per_seed=True)
    pd.testing.assert_series_equal(
        each.groupby("searcher")["gain"].mean().loc[["a", "b"]], frame["gain"].loc[["a", "b"]]
    )


def test_a_report_prints_as_markdown_and_shows_as_html() -> None:
    report = ComparisonReport.of(two_seeds())
    caption, _, head, rule, *rows = str(report).splitlines()
    assert "2 seeds, mean ± standard error" in caption
    assert "negative is better" in caption
    assert "baseline (2, 4)" in caption
    assert len({len(line) for line in (head, rule, *rows)}) == 1
    assert "2.0000 ± 1.0000" in rows[1]
    assert "-37.50 ± 12.50" in rows[1]
    parsed = ElementTree.fromstring(report._repr_html_())
    cells = [[cell.text for cell in row] for row in parsed.iter("tr")]
    assert cells == [[c.strip() for c in line[1:-1].split("|")] for line in (head, *rows)]


def test_names_are_escaped_in_html() -> None:
    study = study_of(finished("<b>", 1.0))
    assert "&lt;b&gt;" in ComparisonReport.of(study)._repr_html_()


def test_names_are_no_markup_in_markdown() -> None:
    name = "![a](http://host/b.png)|c\n\nd"
    rows = str(ComparisonReport.of(study_of(finished(name, 1.0)))).splitlines()
    assert len(rows) == 6  # caption, an empty line, head, rule, shared, the searcher
    parsed = MarkdownIt("gfm-like", {"linkify": False}).parse("\n".join(rows[2:]))
    cell = next(t for t in parsed if t.content.startswith("!"))
    assert {child.type for child in cell.children or []} == {"text"}
    assert "".join(c.content for c in cell.children or []) == "![a](http://host/b.png)|c\\n\\nd"


def test_a_study_without_a_comparison_has_an_empty_report() -> None:
    report = ComparisonReport.of(optuna.create_study())
    assert report.searchers == ()
    assert report.shared.n_trials.item() == 0
    assert "shared" in str(report)


def test_without_pandas_the_table_names_it(monkeypatch: pytest.MonkeyPatch) -> None:
    report = ComparisonReport.of(study_of(*TRIALS))
    monkeypatch.setitem(sys.modules, "pandas", None)
    with pytest.raises(ImportError, match="pip install pandas"):
        report.to_dataframe()


@pytest.mark.parametrize(
    ("studies", "message"),
    [
        ([], "studies must have at least one, but got none."),
        ([["minimize", "minimize"]], "studies must have one objective each"),
        ([["minimize"], ["maximize"]], "studies must have the same direction, but got both."),
    ],
)
def test_studies_that_cannot_be_compared_are_refused(studies: list, message: str) -> None:
    made = [optuna.create_study(directions=directions) for directions in studies]
    with pytest.raises(ValueError, match=message):
        ComparisonReport.of(made)


def test_one_call_repeats_a_comparison_over_seeds_and_goes_on(tmp_path: Any) -> None:
    def study(seed: int) -> Study:
        return optuna.create_study(
            study_name=str(seed), storage=f"sqlite:///{tmp_path}/s.db", load_if_exists=True
        )

    for n_each in (1, 2):
        options = {"seeds": [3, 5], "n_shared": 2, "n_each": n_each}
        report = repeat_comparison(study, parabola, ["random", "tpe"], **options)
    assert report.n_seeds == 2
    np.testing.assert_array_equal(report["tpe"].n_trials, [2, 2])
    assert len(study(3).trials) == len(study(5).trials) == 6
    assert study(3).trials[0].params != study(5).trials[0].params
    assert str(ComparisonReport.of([study(3), study(5)])) == str(report)


@pytest.mark.parametrize("seeds", [[], [1, 1]])
def test_seeds_must_be_different_and_at_least_one(seeds: list[int]) -> None:
    with pytest.raises(ValueError, match="seeds must be different and at least one"):
        repeat_comparison(lambda _: optuna.create_study(), parabola, ["random"], seeds=seeds)


def test_a_ready_made_sampler_cannot_be_repeated() -> None:
    arms = {"a": optuna.samplers.RandomSampler()}
    with pytest.raises(ValueError, match="searcher 'a' must be a name or a callable"):
        repeat_comparison(lambda _: optuna.create_study(), parabola, arms, seeds=[0])


def test_the_report_of_a_comparison_is_the_one_read_from_its_storage() -> None:
    study = optuna.create_study()
    report = compare_searchers(study, parabola, ["random"], n_shared=2, n_each=2, seed=0)
    assert str(ComparisonReport.of(study)) == str(report)
    assert "2 shared trials, then 2 of each searcher, sequential; 1 seed." in str(report)
