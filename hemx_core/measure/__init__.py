"""Measurements on a haematoma mask: volume, components, ABC/2, and the patient's result."""
