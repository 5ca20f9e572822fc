"""Measurements: each figure comes from a command whose result file is in `results/`."""
