"""The Device screen: models, self-test, memory, benchmark, licences."""
