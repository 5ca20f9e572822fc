"""The Studies screen: list, import and choice of a series."""
