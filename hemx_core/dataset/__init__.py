"""Data sets in HEMX's format (docs/data_format.md): tables, readers, checker, importers. Torch-free."""
