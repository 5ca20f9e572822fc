"""Cost and error of the exported programs, by layer, pass and operator.

Layers, folding, layouts, operators, threads, flipped bits.
"""
