"""Android only: documents, sharing, the window."""
