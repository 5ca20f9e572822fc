"""What the exported programs cost and lose, and why.

Layers, folding, layouts, operators, threads, flipped bits.
"""
