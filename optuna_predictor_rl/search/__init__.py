"""From a study's history to the next trial: the predictor is fitted, the policy searches."""
