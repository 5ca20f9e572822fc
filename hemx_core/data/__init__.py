"""Studies, cohorts and data sets in HEMX's format (docs/data_format.md). No torch."""
