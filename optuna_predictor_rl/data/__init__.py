"""From a study's trials to rows, labels and their errors, constraints and costs."""
