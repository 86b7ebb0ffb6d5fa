import itertools
import math
import tracemalloc

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from sklearn.preprocessing import OneHotEncoder

from optuna_predictor_rl.core.conditions import Condition
from optuna_predictor_rl.core.decisions import Categorical, Decision, Numeric
from optuna_predictor_rl.core.encoding import SHARE, Encoding
from optuna_predictor_rl.core.space import SearchSpace
from tests.optuna_predictor_rl.core.strategies import decisions

lawful = settings(deadline=None, derandomize=True)
seeds = st.integers(0, 2**32 - 1)


def edges(n: int, choices: tuple[object, ...] = ("conv", "pool", "skip")) -> SearchSpace:
    return SearchSpace(tuple(Categorical(name=f"e{i}", choices=choices) for i in range(n)))


def every_row(space: SearchSpace) -> np.ndarray:
    options = [range(d.n_values or 0) for d in space.decisions]
    return np.array(list(itertools.product(*options)), dtype=np.float64)


@lawful
@given(decisions(), seeds, st.booleans())
def test_each_row_has_as_many_finite_columns_as_the_features_say(
    found: tuple[Decision, ...], seed: int, structured: bool
) -> None:
    space = SearchSpace(found)
    encoding = Encoding(space, structured=structured)
    encoded = encoding(space.random(6, np.random.default_rng(seed)))
    assert encoded.shape == (6, sum(f.width for f in encoding.features))
    assert encoded.shape[1] == len(encoding.column_feature)
    kinds = [encoding.features[f].kind for f in encoding.column_feature]
    most = np.array([SHARE if kind == "share" else 1.0 for kind in kinds])
    assert ((encoded >= 0) & (encoded <= most)).all()


@lawful
@given(decisions(finite=True, max_size=3), seeds, st.booleans())
def test_different_configurations_are_encoded_differently(
    found: tuple[Decision, ...], seed: int, structured: bool
) -> None:
    space = SearchSpace(found)
    rows = np.unique(space.random(30, np.random.default_rng(seed)), axis=0)
    encoded = Encoding(space, structured=structured)(rows)
    assert len(np.unique(encoded, axis=0)) == len(rows)


@lawful
@given(decisions(), seeds)
def test_a_row_is_encoded_the_same_alone_as_among_others(
    found: tuple[Decision, ...], seed: int
) -> None:
    space = SearchSpace(found)
    encoding = Encoding(space)
    rows = space.random(5, np.random.default_rng(seed))
    alone = np.concatenate([encoding(row[None]) for row in rows])
    assert np.array_equal(encoding(rows), alone)


def test_the_papers_encoding_is_one_hot_for_choices_and_a_position_for_numbers() -> None:
    space = SearchSpace(
        (
            Categorical(name="a", choices=("x", "y", "z")),
            Numeric(name="b", low=1.0, high=100.0, log=True),
            Categorical(name="c", choices=(16, 32, 64)),
        )
    )
    rows = np.array([[0, 0.5, 2], [2, 0.0, 1], [1, 1.0, 0]])
    one_hot = OneHotEncoder(sparse_output=False).fit_transform
    expected = [one_hot(rows[:, [0]]), rows[:, [1]], one_hot(rows[:, [2]])]
    assert np.array_equal(Encoding(space, structured=False)(rows), np.hstack(expected))


def test_different_choices_without_an_order_are_at_distance_one() -> None:
    space = SearchSpace((Categorical(name="a", choices=("x", "y", None)),))
    encoded = Encoding(space)(every_row(space))
    distance = np.linalg.norm(encoded[:, None] - encoded[None], axis=-1)
    assert distance == pytest.approx(1.0 - np.eye(3))


def test_neighbouring_numeric_choices_are_closer_than_distant_ones() -> None:
    space = SearchSpace((Categorical(name="width", choices=(64, 8, 512, 4096)),))
    encoded = Encoding(space)(space.rows([{"width": w} for w in (8, 64, 512, 4096)]))
    distance = np.linalg.norm(encoded - encoded[0], axis=1)
    assert (np.diff(distance) > 0.2).all()


def test_shares_count_how_many_like_decisions_took_each_choice() -> None:
    space = edges(3)
    rows = every_row(space)
    counts = np.stack([(rows == choice).mean(1) for choice in range(3)], axis=1)
    assert Encoding(space)(rows)[:, -3:] == pytest.approx(SHARE * counts)


def test_the_share_of_ordered_choices_is_their_mean_position() -> None:
    space = edges(3, (0, 1, 4))
    rows = every_row(space)
    expected = np.array([0.0, 0.25, 1.0])[rows.astype(int)].mean(1)
    assert Encoding(space)(rows)[:, -1] == pytest.approx(SHARE * expected)


@pytest.mark.parametrize(("n", "has_share"), [(2, False), (3, True)])
def test_shares_need_three_decisions_that_are_alike(n: int, has_share: bool) -> None:
    kinds = {feature.kind for feature in Encoding(edges(n)).features}
    assert ("share" in kinds) == has_share


def test_an_inactive_decision_says_nothing_and_its_number_the_middle() -> None:
    kind = Categorical(name="kind", choices=("off", "on"))
    rate = Numeric(name="rate", low=0.0, high=1.0)
    mode = Categorical(name="mode", choices=("a", "b"))
    active = frozenset({1})
    space = SearchSpace((kind, rate, mode), (Condition(1, 0, active), Condition(2, 0, active)))
    encoded = Encoding(space)(space.rows([{"kind": "off"}]))
    assert encoded[0] == pytest.approx([math.sqrt(0.5), 0.0, 0.5, 0.0, 0.0])


def test_a_space_without_decisions_has_no_columns() -> None:
    assert Encoding(SearchSpace(()))(np.empty((4, 0))).shape == (4, 0)


def test_choices_without_trials_share_columns_where_there_are_many() -> None:
    space = SearchSpace((Categorical(name="id", choices=tuple(map(str, range(1000)))),))
    tried = np.array([[3.0], [700.0]])
    encoding = Encoding(space, trials=tried)
    encoded, trials = encoding(every_row(space)), encoding(tried)
    assert encoded.shape[1] <= 2 + 32
    apart = ((encoded[:, None] - trials) ** 2).sum(2)
    assert apart == pytest.approx((every_row(space) != tried.T).astype(float))


def test_choices_without_trials_keep_their_columns_where_there_are_few() -> None:
    space = SearchSpace((Categorical(name="id", choices=tuple(map(str, range(64)))),))
    encoding = Encoding(space, trials=np.array([[3.0]]))
    assert np.array_equal(encoding(every_row(space)), Encoding(space)(every_row(space)))


def test_alike_decisions_of_many_choices_share_by_what_any_of_them_had() -> None:
    space = edges(3, tuple(map(str, range(100))))
    tried = np.array([[1.0, 2.0, 2.0], [9.0, np.nan, 1.0]])
    shares = Encoding(space, trials=tried)(tried)[:, -(3 + 32) :]
    assert shares[0, :2] == pytest.approx(SHARE * np.array([1 / 3, 2 / 3]))
    assert shares[1, [0, 2]] == pytest.approx(SHARE * np.array([1 / 3, 1 / 3]))


def test_encoding_many_decisions_needs_little_beside_the_result() -> None:
    space = SearchSpace(tuple(Categorical(name=f"b{i}", choices=(0, 1)) for i in range(200)))
    rows, encoding = space.random(500, np.random.default_rng(0)), Encoding(space)
    encoding(rows[:1])
    tracemalloc.start()
    encoded = encoding(rows)
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert peak < 8 * encoded.nbytes  # a table of rows, decisions and columns is 200 times that


def test_an_inactive_ordered_choice_is_in_the_middle_of_its_order() -> None:
    space = SearchSpace((Categorical(name="width", choices=(16, 32, 64)),))
    assert Encoding(space)(np.array([[np.nan]])).tolist() == [[0.0, 0.0, 0.0, 0.5]]
