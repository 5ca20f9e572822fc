"""A model bundle on disk: signature, hashes, loading, self-test, and where the shipped one lies."""
