"""The method without Optuna: encoding, predictor, policy, REINFORCE and learning curves."""
