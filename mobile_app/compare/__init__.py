"""Two studies of a patient side by side, and what has grown."""
