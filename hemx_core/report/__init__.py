"""A triage result as files and text: result.json, overlay pictures, a table for the terminal."""
