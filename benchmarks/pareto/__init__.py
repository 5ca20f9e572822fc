"""`pareto`: accuracy against time and memory, and the place of the shipped recipe.

plan         the points, and the equal budget of their trainings
material     the cohort, the frozen segmenter's answers, calibration slices
classifiers  short trainings, programs, AUCs         once each, kept in the work folder
segmenters   programs of the shipped weights, Dice   once each, kept in the work folder
report       which points no other one beats; pareto.json, pareto.md and pareto.png
"""
