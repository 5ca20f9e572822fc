"""The pages of docs/ that are filled from result files."""
