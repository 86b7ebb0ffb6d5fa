"""From a learning curve to a decision to stop, and to the label of the stopped trial."""
