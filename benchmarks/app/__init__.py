"""What the app promises, measured on the real app: first frame, study, frames, memory, cancel."""
