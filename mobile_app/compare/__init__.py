"""The Compare screen: two studies of a patient side by side, and the growth."""
