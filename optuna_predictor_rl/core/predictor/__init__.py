"""The ensemble of networks and Gaussian processes that predicts targets of configurations."""
