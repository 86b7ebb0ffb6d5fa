"""From a study's trials to rows, labels and errors of labels, and what is known beside them."""
