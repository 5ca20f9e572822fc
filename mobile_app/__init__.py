"""The tablet app: no torch, `export` or `benchmarks` here, and Kivy in screens and widgets only."""
