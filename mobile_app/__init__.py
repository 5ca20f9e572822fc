"""The tablet app: without torch, `export` and `benchmarks`; Kivy in screens and widgets only."""
