"""The PIN and the screen that asks for it."""
