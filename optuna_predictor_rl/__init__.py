"""Predictor-based reinforcement-learning search for Optuna."""
