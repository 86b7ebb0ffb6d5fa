"""PyTorch: search with short trainings, then train the finalists to the end.

    pip install scikit-learn && python examples/low_fidelity.py

The network is an MLP on the handwritten digits that scikit-learn ships. Once the pilots have
decided the cutoff, trials stop there and are known by their extrapolated loss. The best are
trained again in full, and the full value replaces the label.
"""

import argparse

import optuna
import torch
from sklearn.datasets import load_digits
from torch.nn import functional

from optuna_predictor_rl import LowFidelityPruner, PredictorRLSampler, finalists
from optuna_predictor_rl.fidelity.labels import full_trials, is_full

N_EPOCHS = 30
DIGITS = load_digits()
INPUTS = torch.as_tensor(DIGITS.data, dtype=torch.float32) / 16.0
TARGETS = torch.as_tensor(DIGITS.target)
TRAIN, HELD_OUT = slice(0, 900), slice(900, None)


def objective(trial: optuna.Trial) -> float:
    """Return the cross-entropy on the half of the digits that is not trained on, in nats."""
    width = trial.suggest_int("width", 8, 128, log=True)
    torch.manual_seed(0)
    network = torch.nn.Sequential(
        torch.nn.Linear(64, width),
        torch.nn.ReLU(),
        torch.nn.Dropout(trial.suggest_float("dropout", 0.0, 0.6)),
        torch.nn.Linear(width, 10),
    )
    optimizer = torch.optim.SGD(
        network.parameters(),
        lr=trial.suggest_float("lr", 1e-3, 0.3, log=True),
        momentum=trial.suggest_float("momentum", 0.0, 0.95),
        weight_decay=trial.suggest_float("weight_decay", 1e-5, 1e-2, log=True),
    )
    loss = float("nan")
    for epoch in range(1, N_EPOCHS + 1):
        network.train()
        for batch in torch.randperm(900).split(100):
            optimizer.zero_grad()
            functional.cross_entropy(
                network(INPUTS[TRAIN][batch]), TARGETS[TRAIN][batch]
            ).backward()
            optimizer.step()
        network.eval()
        with torch.no_grad():
            loss = float(functional.cross_entropy(network(INPUTS[HELD_OUT]), TARGETS[HELD_OUT]))
        trial.report(loss, epoch)
        if trial.should_prune():
            raise optuna.TrialPruned
    return loss


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--trials", type=int, default=40)
    parser.add_argument("--finalists", type=int, default=3)
    arguments = parser.parse_args()
    torch.set_num_threads(1)
    optuna.logging.set_verbosity(optuna.logging.WARNING)
    pruner = LowFidelityPruner(n_pilot_trials=min(6, max(3, arguments.trials // 3)))
    study = optuna.create_study(sampler=PredictorRLSampler(seed=0), pruner=pruner)
    study.optimize(objective, n_trials=arguments.trials, show_progress_bar=True)
    spent = sum(len(trial.intermediate_values) for trial in study.trials)
    print(f"{arguments.trials} trials in {spent / N_EPOCHS:.1f} full trainings.")

    chosen = [trial for trial in finalists(study, arguments.finalists) if not is_full(trial)]
    for trial in chosen:
        study.enqueue_trial(trial.params, user_attrs={"full_fidelity": True})
    if chosen:
        study.optimize(objective, n_trials=len(chosen))
    for trial, again in zip(chosen, study.trials[arguments.trials :], strict=True):
        label = trial.user_attrs["predictor_rl:low_fidelity_label"]
        print(f"trial {trial.number}: label {label:.4f}, full training {again.value:.4f}")
    best = min(full_trials(study.trials), key=lambda trial: trial.value or 0.0)
    print(f"best full training: {best.value:.4f} with {best.params}")


if __name__ == "__main__":
    main()
