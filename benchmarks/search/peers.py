"""The searchers to compare, by name, and how to plug in another one."""

import importlib
import importlib.util
import tempfile
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import optuna
from optuna.distributions import BaseDistribution
from optuna.samplers import BaseSampler

from optuna_predictor_rl import PolicyConfig, PredictorConfig, PredictorRLSampler
from optuna_predictor_rl.comparison.searchers import NAMED

SearchSpace = dict[str, BaseDistribution]
Factory = Callable[[int, SearchSpace], BaseSampler]


@dataclass(frozen=True)
class Peer:
    """How to make a searcher from a seed and a search space, and what has to be installed."""

    make: Factory
    install: str = "optuna"


def _named(name: str) -> Peer:
    make = NAMED[name].make
    return Peer(lambda seed, _: make(seed), '"optuna-predictor-rl[baselines]"')


def _predictor_rl_paper(seed: int, _: SearchSpace) -> BaseSampler:
    return PredictorRLSampler(
        predictor=PredictorConfig.paper(), policy=PolicyConfig.paper(), seed=seed
    )


def _hebo(seed: int, _: SearchSpace) -> BaseSampler:
    import optunahub

    return optunahub.load_module("samplers/hebo").HEBOSampler(seed=seed)


def _smac(seed: int, space: SearchSpace) -> BaseSampler:
    import optunahub

    return optunahub.load_module("samplers/smac_sampler").SMACSampler(
        space, n_trials=100, seed=seed, output_directory=tempfile.mkdtemp(prefix="smac-")
    )


PEERS: dict[str, Peer] = {name: _named(name) for name in NAMED} | {
    "tpe_multivariate": Peer(
        lambda seed, _: optuna.samplers.TPESampler(multivariate=True, group=True, seed=seed)
    ),
    "hebo": Peer(_hebo, "optunahub HEBO"),
    "smac": Peer(_smac, "optunahub smac"),
    "predictor_rl_paper": Peer(_predictor_rl_paper, "optuna-predictor-rl"),
}


def _plugged_in(reference: str) -> Factory:
    """Load `file.py:attribute` or `module:attribute`, a callable that takes a seed."""
    where, _, attribute = reference.rpartition(":")
    if where.endswith(".py"):
        path = Path(where).resolve()
        spec = importlib.util.spec_from_file_location(path.stem, path)
        if spec is None or spec.loader is None or not path.is_file():
            raise ValueError(f"samplers must name an existing file, but got {where!r}.")
        module = importlib.util.module_from_spec(spec)
        spec.loader.exec_module(module)
    else:
        module = importlib.import_module(where)
    factory = getattr(module, attribute)
    return lambda seed, _: factory(seed)


def label(sampler: str) -> str:
    """Return the name of a sampler's runs: that of `shown=file.py:factory` is `shown`."""
    return sampler.partition("=")[0]


def find_sampler(sampler: str) -> Peer:
    """Find a peer by name, or plug in `[shown=]file.py:factory` or `[shown=]module:attribute`.

    Raises:
        ValueError: If there is no such peer.
    """
    reference = sampler.partition("=")[2] or sampler
    if ":" in reference:
        return Peer(_plugged_in(reference), "what it imports")
    if reference not in PEERS:
        raise ValueError(
            f"samplers must be among {list(PEERS)} or file.py:factory, but got {sampler!r}."
        )
    return PEERS[reference]


def make_sampler(sampler: str, seed: int, space: SearchSpace | None = None) -> BaseSampler:
    """Make a sampler for a study; only SMAC has to know the search space.

    Raises:
        ImportError: If a package is missing, naming what to install.
    """
    peer = find_sampler(sampler)
    try:
        return peer.make(seed, space or {})
    except ImportError as error:
        raise ImportError(f"{sampler} needs: pip install {peer.install} ({error})") from error
