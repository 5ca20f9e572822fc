"""How right the measures are where the truth is known: growth, signs, inserted haematomas."""
