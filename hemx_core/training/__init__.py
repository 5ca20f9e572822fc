"""Training of the two stages, with Lightning."""
