"""The two entries: one comparison in one study, and its repetition over several seeds."""

from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Any, Literal, TypedDict, Unpack

import numpy as np
from optuna.samplers import BaseSampler
from optuna.study import Study
from optuna.trial import Trial

from optuna_predictor_rl.comparison.marks import SHARED
from optuna_predictor_rl.comparison.report import ComparisonReport
from optuna_predictor_rl.comparison.searchers import Searcher, by_name, check
from optuna_predictor_rl.comparison.standing import Plan
from optuna_predictor_rl.comparison.turns import Turns
from optuna_predictor_rl.study.attributes import COMPARISON_SETTINGS
from optuna_predictor_rl.support.checked import check_at_least, checked

Objective = Callable[[Trial], float]
Protocol = Literal["sequential", "batch"]


class Options(TypedDict, total=False):
    """Keyword arguments of `compare_searchers` that `repeat_comparison` passes on."""

    n_shared: int
    n_each: int
    protocol: Protocol
    shared_searcher: Searcher
    n_jobs: int
    timeout: float | None
    catch: Iterable[type[Exception]] | type[Exception]
    show_progress_bar: bool


@checked
def compare_searchers(
    study: Study,
    objective: Objective,
    searchers: Mapping[str, Searcher] | Sequence[str],
    *,
    n_shared: int = 75,
    n_each: int = 75,
    protocol: Protocol = "sequential",
    shared_searcher: Searcher = "random",
    seed: int | None = None,
    n_jobs: int = 1,
    timeout: float | None = None,
    catch: Iterable[type[Exception]] | type[Exception] = (),
    show_progress_bar: bool = False,
) -> ComparisonReport:
    """Run several samplers on one objective, in one study, with equal budgets and shared trials.

    The shared trials run first, once, and every searcher sees them: those the study has already,
    those in its queue (`enqueue_trial`), then random ones. Afterwards the searchers take turns,
    and each sees only the shared trials and its own. Each searcher has a copy of the study's
    pruner, which sees the same trials. What either writes on the study is seen by that searcher
    only. Each trial carries its searcher's name in the user attribute `predictor_rl:searcher`
    (`"shared"` for shared ones), by which optuna-dashboard filters, and the wall times
    `predictor_rl:suggestion_seconds` and `predictor_rl:evaluation_seconds`.

    Stop it at any time, and call it again with the same arguments to go on. The storage holds
    what is left to do, so several processes may work on one study. A trial that was interrupted,
    or whose worker was killed, is failed and run again; all others count, also if pruned or
    failed. Only a storage's heartbeat detects that a worker on another host is dead; without one,
    `study.tell(number, state=TrialState.FAIL)` releases a trial that was left running.

    Args:
        study: A study with one objective, on any storage. Its sampler is not used.
        objective: As for `optuna.study.Study.optimize`. `trial.study` is the searcher's view.
        searchers: Samplers by name. Instead of a sampler, a callable that makes one from a seed,
            or one of the names `"random"`, `"tpe"`, `"gp"`, `"cmaes"`, `"nsga2"`, `"botorch"`,
            `"predictor_rl"`; or a list of such names. A sampler object keeps its own seed; give
            every process one with another seed.
        n_shared: Number of trials that all searchers see.
        n_each: Number of trials of each searcher.
        protocol: `"sequential"`: a searcher learns from each of its trials. `"batch"`: it
            proposes all `n_each` before it sees any result (section 4.2.7 of the paper), because
            its own trials are shown to it as running.
        shared_searcher: The searcher that chooses the shared trials that are not in the queue.
        seed: Seed of the samplers made here; None for a random one.
        n_jobs: Number of threads that run trials; -1 for the number of processors.
        timeout: Seconds after which no further trial starts; the report is then of a part.
        catch: Exceptions of the objective that make a failed trial. Others end the call.
        show_progress_bar: Whether to show how many trials have ended.

    Returns:
        The report, with the first shared trial as the baseline; `ComparisonReport.of` takes
        others.

    Raises:
        ImportError: If a package that a searcher needs is not installed; names the extra.
        ValueError: If an argument is out of its range, or the study has several objectives or
            another protocol already.

    Example:
        >>> import optuna
        >>> optuna.logging.set_verbosity(optuna.logging.WARNING)
        >>> study = optuna.create_study()
        >>> report = compare_searchers(
        ...     study,
        ...     lambda trial: trial.suggest_float("x", 0.5, 2.0) ** 2,
        ...     ["random", "predictor_rl"],
        ...     n_shared=10,
        ...     n_each=5,
        ...     seed=0,
        ... )
        >>> len(study.trials)
        20
        >>> [result.name for result in report.searchers]
        ['random', 'predictor_rl']
    """
    arms = by_name(searchers)
    check(SHARED, shared_searcher)
    check_at_least(0, n_shared=n_shared)
    check_at_least(1, n_each=n_each)
    if n_jobs < 1 and n_jobs != -1:
        raise ValueError(f"n_jobs must be at least 1, or -1, but got {n_jobs}.")
    if seed is not None:
        check_at_least(0, seed=seed)
    if timeout is not None and not timeout > 0:
        raise ValueError(f"timeout must be positive, but got {timeout}.")
    _store_settings(study, {"protocol": protocol, "n_shared": n_shared, "n_each": n_each})
    turns = Turns(
        study,
        objective,
        {SHARED: shared_searcher, **arms},
        Plan(tuple(arms), n_shared, n_each, batch=protocol == "batch"),
        seed=int(np.random.SeedSequence().generate_state(1)[0]) if seed is None else seed,
        catch=(catch,) if isinstance(catch, type) else tuple(catch),
    )
    turns.run(n_jobs=n_jobs, timeout=timeout, show_progress_bar=show_progress_bar)
    return ComparisonReport.of(study)


@checked
def repeat_comparison(
    create_study: Callable[[int], Study],
    objective: Objective,
    searchers: Mapping[str, Searcher] | Sequence[str],
    *,
    seeds: Sequence[int],
    **options: Unpack[Options],
) -> ComparisonReport:
    """Compare searchers under several seeds, one study each, and report on all.

    Args:
        create_study: Returns the study of a seed; with `load_if_exists=True` it can be resumed.
        objective: See `compare_searchers`. If it depends on the seed, let `create_study` write
            the seed to the study's user attributes, and read `trial.study.user_attrs`.
        searchers: See `compare_searchers`; names or callables, since a sampler has one seed.
        seeds: Different seeds, at least one.
        **options: See `compare_searchers`.

    Raises:
        ImportError: See `compare_searchers`.
        ValueError: See `compare_searchers`; or if there is no seed, a seed is there twice, or a
            searcher is a sampler object.

    Example:
        >>> import optuna
        >>> optuna.logging.set_verbosity(optuna.logging.WARNING)
        >>> report = repeat_comparison(
        ...     lambda seed: optuna.create_study(study_name=f"seed {seed}"),
        ...     lambda trial: trial.suggest_float("x", 0.5, 2.0) ** 2,
        ...     ["random", "tpe"],
        ...     seeds=[0, 1],
        ...     n_shared=3,
        ...     n_each=2,
        ... )
        >>> report.n_seeds
        2
    """
    if not seeds or len(set(seeds)) < len(seeds):
        raise ValueError(f"seeds must be different and at least one, but got {list(seeds)}.")
    for seed in seeds:
        check_at_least(0, seeds=seed)
    arms = by_name(searchers)
    shared = options.get("shared_searcher", "random")
    for name, searcher in {SHARED: shared, **arms}.items():
        if isinstance(searcher, BaseSampler):
            raise ValueError(
                f"searcher {name!r} must be a name or a callable that takes a seed when it is "
                f"repeated, but got {searcher!r}."
            )
    studies = []
    for seed in seeds:
        studies.append(create_study(seed))
        compare_searchers(studies[-1], objective, arms, seed=seed, **options)
    return ComparisonReport.of(studies)


def _store_settings(study: Study, settings: dict[str, Any]) -> None:
    """Store the settings for reports; a later call may change the numbers, not the protocol."""
    if len(study.directions) > 1:
        raise ValueError(
            f"study must have one objective, but got one with {len(study.directions)}."
        )
    before = study.user_attrs.get(COMPARISON_SETTINGS, settings)["protocol"]
    if before != settings["protocol"]:
        raise ValueError(
            f"protocol must be {before!r}, as the study was begun with it, "
            f"but got {settings['protocol']!r}."
        )
    study.set_user_attr(COMPARISON_SETTINGS, settings)
