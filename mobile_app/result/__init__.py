"""What triage found and what to do about it."""
