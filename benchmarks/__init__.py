"""Measured figures: each comes from a command whose result file lies under `results/`."""
