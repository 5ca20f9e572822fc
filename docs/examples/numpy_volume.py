"""Triage an array of HU: shape (slices, rows, columns), feet to head, nose up."""

import hemx_core as hemx

phantom = hemx.phantom(seed=5, volume_ml=30, matrix=256)
hu = phantom.volume.hu
dz, dy, dx = phantom.volume.spacing_mm

volume = hemx.Volume(hu, spacing_mm=(dz, dy, dx))
result = hemx.triage(volume)

# The mask lies on the array's own pixels. Here the truth is known.
overlap = (result.mask & phantom.mask).sum()
dice = 2 * overlap / (result.mask.sum() + phantom.mask.sum())
print(volume)
print(f"Dice with the truth: {dice:.2f}")
