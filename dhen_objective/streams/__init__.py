"""Streams of labelled examples in time order."""
