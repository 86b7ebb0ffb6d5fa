"""Helpers that know nothing of searches: checks of arguments, numbers of threads, safe text."""
