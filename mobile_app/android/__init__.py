"""What only Android has: documents, sharing, the window."""
