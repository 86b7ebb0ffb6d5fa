"""Measurements behind the documents, each a command: `python -m benchmarks` lists them."""
