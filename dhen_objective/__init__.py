"""A DHEN click and conversion model, trained online on a stream, as an objective for Optuna."""
