"""Accuracy of the measurements where the truth is known: growth, signs, inserted haematomas."""
