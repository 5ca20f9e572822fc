"""Exact folding passes: each rewrites a part of a trained network into what one delegate takes."""
