"""Scores of segmenters and marker classifiers, with intervals over patients."""
