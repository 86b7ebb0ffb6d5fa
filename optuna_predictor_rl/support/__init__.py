"""What any Python library might need: checks of arguments, numbers of threads, safe text."""
