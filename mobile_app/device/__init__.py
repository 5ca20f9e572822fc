"""The device screen: models, self-test, memory, benchmark, licences."""
