"""The boundary to Optuna: its storage, attributes, distributions, ranges and objectives."""
