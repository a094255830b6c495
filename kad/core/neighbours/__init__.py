"""Understand the files of whoever else sets the three parameters."""
