"""One worker of a comparison: it runs the shared trials, then the searchers' by turns."""

import copy
import functools
import logging
import os
import threading
import time
from collections import Counter
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import Any

from optuna.exceptions import TrialPruned
from optuna.logging import get_logger
from optuna.study import Study
from optuna.trial import FrozenTrial, Trial, TrialState
from tqdm.auto import tqdm
from tqdm.contrib.logging import logging_redirect_tqdm

from optuna_predictor_rl.comparison.marks import SHARED
from optuna_predictor_rl.comparison.results import final_values
from optuna_predictor_rl.comparison.searchers import ArmSampler, Searcher
from optuna_predictor_rl.comparison.standing import (
    WAIT,
    Plan,
    Standing,
    end_lost_trials,
    enqueue_again,
)
from optuna_predictor_rl.comparison.view import ArmStorage, ArmStudy
from optuna_predictor_rl.comparison.workers import working
from optuna_predictor_rl.study import storage
from optuna_predictor_rl.study.attributes import EVALUATION_SECONDS, SUGGESTION_SECONDS, WORKER

POLL_SECONDS = 1.0
"""Pause between two looks at whether the trials of other processes have ended."""

_LOGGER = get_logger(f"optuna.{__name__}")


class SurplusTrialError(Exception):
    """Another worker has started the searcher's last trial."""


class Turns:
    """One worker of a comparison: it decides whose turn it is and runs the trial.

    Args:
        study: The study of all searchers.
        objective: The objective of all searchers.
        searchers: Searchers by name, including that of the shared part.
        plan: Trials to run.
        seed: Seed of the samplers.
        catch: Exceptions of the objective that make a failed trial.
    """

    def __init__(
        self,
        study: Study,
        objective: Callable[[Trial], float],
        searchers: dict[str, Searcher],
        plan: Plan,
        *,
        seed: int,
        catch: tuple[type[Exception], ...],
    ) -> None:
        self._study = study
        self._objective = objective
        self._searchers = searchers
        self._plan = plan
        self._seed = seed
        self._catch = (*catch, SurplusTrialError)
        self._outcomes: tuple[type[Exception], ...] = (TrialPruned, *catch)
        self._views: dict[str, ArmStudy] = {}
        self._samplers: dict[str, ArmSampler] = {}
        self._worker: dict[str, Any] = {}
        self._own: Counter[str] = Counter()  # running trials of this call
        self._changed = threading.Condition()
        self._stopping = False
        self._deadline = float("inf")

    def run(self, *, n_jobs: int, timeout: float | None, show_progress_bar: bool) -> None:
        """Run trials until all have ended, also those of other workers."""
        n_jobs = os.cpu_count() or 1 if n_jobs == -1 else n_jobs
        if timeout is not None:
            self._deadline = time.monotonic() + timeout
        standing = Standing.of(storage.trials(self._study, fresh=True), {})
        bar = tqdm(
            total=self._plan.n_trials,
            initial=self._plan.n_finished(standing),
            unit="trial",
            disable=not show_progress_bar,
        )
        loggers = [logging.getLogger("optuna")] if show_progress_bar else []
        with bar, logging_redirect_tqdm(loggers), working() as self._worker:
            for name in self._searchers:
                self._views[name] = self._view(name)
            if n_jobs == 1:
                self._take_turns(bar)
                return
            with ThreadPoolExecutor(n_jobs) as pool:
                try:
                    for future in [pool.submit(self._take_turns, bar) for _ in range(n_jobs)]:
                        future.result()
                finally:  # the other threads end too if this one was interrupted
                    self._stopping = True

    def _view(self, name: str) -> ArmStudy:
        arm_storage = ArmStorage(self._study, name, worker=self._worker)
        sees = None
        if self._plan.batch and name != SHARED:
            blind = ArmStorage(self._study, name, worker=self._worker, pending=True)
            sees = Study(self._study.study_name, blind)
        sampler = ArmSampler(name, self._searchers[name], seed=self._seed, sees=sees)
        self._samplers[name] = sampler
        pruner = copy.deepcopy(self._study.pruner)
        return ArmStudy(self._study.study_name, arm_storage, sampler, pruner)

    def _take_turns(self, bar: tqdm) -> None:
        try:
            while (name := self._next()) is not None:
                try:
                    self._views[name].optimize(
                        functools.partial(self._evaluate, name), n_trials=1, catch=self._catch
                    )
                finally:
                    with self._changed:
                        self._own[name] -= 1
                        self._changed.notify_all()
                self._show(bar)
        except BaseException:
            self._stopping = True
            raise

    def _next(self) -> str | None:
        """Wait until a trial may start and return its searcher; None if all trials are done."""
        has_logged = False
        with self._changed:
            while not self._stopping and time.monotonic() < self._deadline:
                end_lost_trials(self._study)
                trials = storage.trials(self._study, fresh=True)
                standing = Standing.of(trials, self._worker)
                exhausted = {name for name, view in self._views.items() if view.stopped}
                turn = self._plan.turn(standing, self._own, exhausted)
                if isinstance(turn, str):
                    self._own[turn] += 1
                    return turn
                if turn is not WAIT:
                    return None
                if not has_logged and self._own.total() == 0:
                    has_logged = True
                    self._log_waiting(trials)
                self._changed.wait(POLL_SECONDS)
        return None

    def _log_waiting(self, trials: list[FrozenTrial]) -> None:
        running = [t for t in trials if t.state == TrialState.RUNNING and WORKER in t.system_attrs]
        hosts = {t.number: t.system_attrs[WORKER]["host"] for t in running}
        where = ", ".join(f"{number} (on {host})" for number, host in hosts.items())
        if set(hosts.values()) <= {self._worker["host"]}:
            _LOGGER.info(f"Waiting for other workers' trials: {where}.")
            return
        _LOGGER.warning(
            f"Waiting for other workers' trials: {where}. If their worker is no more, tell them "
            f"as failed: study.tell(number, state=TrialState.FAIL)."
        )

    def _evaluate(self, name: str, trial: Trial) -> float:
        """Evaluate the objective and record times, unless the trial was cut short."""
        frozen = storage.latest(trial)
        if self._plan.is_surplus(frozen, storage.trials(self._study, fresh=True)):
            raise SurplusTrialError("Another worker has run the searcher's last trial.")
        sampler = self._samplers[name]
        start, before = time.perf_counter(), sampler.seconds(trial.number)
        try:
            value = self._objective(trial)
        except self._outcomes:
            self._record(trial, sampler, start, before)
            raise
        except BaseException:
            enqueue_again(self._study, frozen)
            raise
        self._record(trial, sampler, start, before)
        return value

    def _record(self, trial: Trial, sampler: ArmSampler, start: float, before: float) -> None:
        suggesting = sampler.seconds(trial.number)
        evaluating = time.perf_counter() - start - (suggesting - before)
        trial.set_user_attr(EVALUATION_SECONDS, evaluating)
        trial.set_user_attr(SUGGESTION_SECONDS, suggesting)  # last: with it, a failed trial counts

    def _show(self, bar: tqdm) -> None:
        if bar.disable:
            return
        trials = storage.trials(self._study, fresh=True)
        with self._changed:
            bar.n = self._plan.n_finished(Standing.of(trials, {}))
        if values := final_values(trials):
            best = min if self._study.direction.name == "MINIMIZE" else max
            bar.set_postfix_str(f"best {best(values):.6g}")
        bar.refresh()
