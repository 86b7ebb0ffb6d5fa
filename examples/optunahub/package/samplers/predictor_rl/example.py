import optuna
import optunahub


def objective(trial: optuna.Trial) -> float:
    x = trial.suggest_float("x", -5, 5)
    kind = trial.suggest_categorical("kind", ["square", "absolute"])
    return x**2 if kind == "square" else abs(x) + 1


module = optunahub.load_module(package="samplers/predictor_rl")
study = optuna.create_study(sampler=module.PredictorRLSampler(seed=0))
study.optimize(objective, n_trials=30)
print(study.best_params, study.best_value)
