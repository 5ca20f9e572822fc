"""The slices of a study: scroll, window, outline, heat map, correction."""
