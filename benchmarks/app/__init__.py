"""The app's limits, measured on the real app: first frame, study, frames, memory, cancel."""
