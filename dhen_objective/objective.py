"""The objective of a study: one trial trains one DHEN on a stream."""

from __future__ import annotations

import math
import threading
from collections.abc import Callable
from pathlib import Path
from typing import Any

import optuna

from dhen_objective.attributes import Attributes, description, measures
from dhen_objective.checked import checked
from dhen_objective.checkpoints import checkpoint_path
from dhen_objective.config import DHENConfig, TrainConfig
from dhen_objective.fingerprint import Fingerprinted
from dhen_objective.inherited import InheritedReports
from dhen_objective.metrics import Tally
from dhen_objective.ranges import check_device
from dhen_objective.same_baseline import about_baseline, warn_of_another_baseline
from dhen_objective.same_data import SameData
from dhen_objective.score import Score, score_of, window_gain
from dhen_objective.space import suggest_config
from dhen_objective.streams.base import ClickStream
from dhen_objective.train import Report, TrainResult, check_rows, train
from dhen_objective.trainer import report_grid
from dhen_objective.whole_files import sweep

Suggest = Callable[[optuna.Trial], tuple[DHENConfig, TrainConfig]]


@checked
class DHENObjective:
    """An objective that trains a trial's network in one pass and returns its NE gain, in %.

    The gain is that of the last window; a negative one beats the baseline, which is trained on the
    same stream with the same seed, once, when it is first needed. The curve of windowed gains is
    reported with the rows seen as steps, and the study's pruner may stop the pass.

    User attributes of a trial, in plain Python types: before the training `config` (JSON of the
    network and its training), `flops` (per example), `parameters`, `memory` (bytes of weights and
    optimizer state) and `ne_gain_over` (JSON of the baseline's network, training and data, and of
    its last window's positives and log loss); after it, also if it was pruned, `rows`, `seconds`,
    `qps` (examples per second of a training step), `ne` (of the last window), `ne_gain` (likewise,
    in %), `ne_gain_error`, `calibration` and `lifetime_ne`. NaN values are left out.

    A warning names trials of the study that were compared with another baseline, since their
    values cannot be compared with this one's.

    A training that diverges makes a failed trial, with the reason in the attribute `failure`.

    With `checkpoints`, a training that was killed is continued, with the same curve, by the next
    trial with the same configuration: one that `study.enqueue_trial` or
    `optuna.storages.RetryHeartbeatStaleTrialCallback` brings back.

    Args:
        stream: The examples, in time order. Trials share it.
        baseline: The network to compare with; by default the default one.
        training: How the baseline is trained, and what trials do not search: batch size, seed,
            reports, device.
        suggest: Turns a trial into a network and its training; by default `suggest_config`.
        label: Gives the value of a trial whose pass the pruner stopped, for instance an
            extrapolation of its curve. By default such a trial is pruned.
        checkpoints: Folder in which trainings keep their state at each report; by default they
            keep none. A file is removed when its training ends.

    Raises:
        ValueError: If `checkpoints` is a file, or the training's device is not there.

    Examples:
        >>> from dhen_objective.streams import SyntheticStream
        >>> optuna.logging.set_verbosity(optuna.logging.WARNING)
        >>> objective = DHENObjective(SyntheticStream("easy", rows=2000))
        >>> study = optuna.create_study(sampler=optuna.samplers.RandomSampler(seed=0))
        >>> study.optimize(objective, n_trials=1)
        >>> study.trials[0].user_attrs["rows"]
        2000
    """

    def __init__(
        self,
        stream: ClickStream,
        *,
        baseline: DHENConfig | None = None,
        training: TrainConfig | None = None,
        suggest: Suggest | None = None,
        label: Callable[[optuna.Trial], float] | None = None,
        checkpoints: Path | None = None,
    ) -> None:
        if checkpoints is not None and checkpoints.exists() and not checkpoints.is_dir():
            raise ValueError(f"checkpoints must be a folder, but got the file {checkpoints}.")
        check_device((training or TrainConfig()).device)
        self.stream = stream
        self.baseline = baseline or DHENConfig()
        self.training = training or TrainConfig()
        self._suggest = suggest
        self._label = label
        self.checkpoints = checkpoints
        self._baseline_result: TrainResult | None = None
        self._baseline_of = self.baseline, self.training  # which a user may set to others
        self._same_data = SameData(stream)
        self._lock = threading.Lock()

    def __getstate__(self) -> dict[str, Any]:
        return {name: value for name, value in vars(self).items() if name != "_lock"}

    def __setstate__(self, state: dict[str, Any]) -> None:
        vars(self).update(state)
        self._lock = threading.Lock()

    @property
    def baseline_result(self) -> TrainResult:
        """Return the baseline's training, which runs when this is first read.

        Raises:
            ValueError: If it diverged: nothing can be compared with it; or if the data changed
                since the objective was made.
        """
        with self._lock:  # other threads wait for it, and then share it
            asked = self.baseline, self.training
            if self._baseline_result is None or self._baseline_of != asked:
                self._same_data.check_identity(self.stream)
                stream = self._fingerprinted()
                self._baseline_result = train(
                    stream,
                    self.baseline,
                    self.training,
                    checkpoint=self._checkpoint(self.baseline, self.training),
                )
                self._same_data.keep(stream)
                self._baseline_of = asked
            result = self._baseline_result
        if result.is_lost(self.stream.prior):
            raise ValueError(
                f"training must let the baseline learn, but with lr = {self.training.lr} the "
                f"baseline diverged after {result.rows} rows."
            )
        return result

    @checked
    def score(
        self,
        config: DHENConfig,
        training: TrainConfig | None = None,
        *,
        report: Report | None = None,
    ) -> Score:
        """Train a network and compare it with the baseline, without a trial.

        Args:
            config: The network.
            training: How it is trained; by default as the baseline.
            report: See `train`.

        Raises:
            ValueError: If the reports are at other rows than the baseline's, if the baseline
                diverged, or if the data changed since the objective was made, also while the
                network was trained.
        """
        training = training or self.training
        self._check_reports(training)
        self._same_data.check_identity(self.stream)
        checkpoint = self._checkpoint(config, training)
        stream = self._fingerprinted()
        result = train(stream, config, training, report=report, checkpoint=checkpoint)
        base = self.baseline_result
        self._same_data.check_identity(self.stream)
        self._same_data.check_examples(stream.begun)
        return score_of(result, base)

    def __call__(self, trial: optuna.Trial) -> float:
        """Return the last window's NE gain in %, NaN (a failed trial) if it diverged.

        Raises:
            optuna.TrialPruned: If the pruner stopped the pass and no `label` was given.
            ValueError: See `score`; also if the trial inherited reports of other data, or its
                study maximizes.
        """
        if optuna.study.StudyDirection.MAXIMIZE in trial.study.directions:
            raise ValueError("direction must be 'minimize', as negative gains are better.")
        self._same_data.check_identity(self.stream)
        if self._suggest is None:
            config, training = suggest_config(trial, training=self.training)
        else:
            config, training = self._suggest(trial)
        self._check_reports(training)
        _set(trial, description(self.stream, config, training))
        # Train the baseline first, so that its time is not part of the trial's.
        baseline = self.baseline_result
        data = self._same_data.fingerprint
        about = about_baseline(baseline, self.baseline, self.training, self.stream, data)
        warn_of_another_baseline(trial, about)
        inherited = InheritedReports(trial, baseline.curve)

        def report(rows: int, window: Tally) -> bool:
            gain = window_gain(rows, window, baseline)
            if not inherited.has(rows, gain):
                trial.report(gain, step=rows)
            return trial.should_prune()

        score = self.score(config, training, report=report)
        result = score.result
        _set(trial, measures(result, gain=score.gain, error=score.error))
        if result.diverged:
            reason = f"The training diverged after {result.rows} rows."
            trial.set_user_attr("failure", reason)
            return math.nan
        if result.stopped and result.rows < self.stream.n_rows:
            if self._label is not None:
                return self._label(trial)
            raise optuna.TrialPruned(f"The pruner stopped the pass after {result.rows} rows.")
        return score.gain

    def _check_reports(self, training: TrainConfig) -> None:
        """Refuse reports at other rows than the baseline's."""
        for name in ("n_reports", "window"):
            value, ours = getattr(training, name), getattr(self.training, name)
            if value != ours:
                raise ValueError(f"{name} must be the baseline's, {ours}, but got {value}.")

    def _fingerprinted(self) -> Fingerprinted:
        return Fingerprinted(
            self.stream, at=report_grid(check_rows(self.stream), self.training.n_reports)
        )

    def _checkpoint(self, config: DHENConfig, training: TrainConfig) -> Path | None:
        if self.checkpoints is None:
            return None
        self.checkpoints.mkdir(parents=True, exist_ok=True)
        sweep(self.checkpoints)
        return checkpoint_path(self.checkpoints, self.stream, config, training)


def _set(trial: optuna.Trial, attributes: Attributes) -> None:
    for name, value in attributes.items():
        trial.set_user_attr(name, value)
