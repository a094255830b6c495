"""Decide what is to be done and said, without files, clocks or threads."""
