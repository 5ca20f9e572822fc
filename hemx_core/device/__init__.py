"""The machine HEMX runs on: its memory, its name, its budget and what was measured on it."""
