"""Accuracy of the measurements where the truth is known: growth, signs; how real inserted haematomas look."""
