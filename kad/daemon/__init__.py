"""Run kad as a daemon."""
