import optuna
import optunahub


def objective(trial: optuna.Trial) -> float:
    rate = trial.suggest_float("rate", 0.01, 0.5, log=True)
    floor = trial.suggest_float("floor", 0.0, 0.5)
    for step in range(1, 31):
        loss = floor + (1 - rate) ** step
        trial.report(loss, step)
        if trial.should_prune():
            raise optuna.TrialPruned
    return loss


module = optunahub.load_module(package="pruners/low_fidelity")
study = optuna.create_study(pruner=module.LowFidelityPruner(n_pilot_trials=8))
study.optimize(objective, n_trials=30)
trained = sum(len(trial.intermediate_values) for trial in study.trials)
print(f"{trained} of {30 * 30} epochs; best full training: {study.best_value}")
