"""Data sets for training: real slices, phantom cohorts, patient splits and augmentation (torch side)."""
