"""The Reading screen: slices with window, outline, heat map and correction."""
