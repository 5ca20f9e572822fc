"""A model bundle on disk: signature, hashes, loading, self-test, and the path of the shipped one."""
