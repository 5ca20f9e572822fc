"""The list of studies, the import and the choice of a series."""
