"""The same trained graphs in other runtimes.

material      inputs and calibration slices, the same for all
roster        who takes part, with which graph
*_runtime     one adapter for each runtime: `start`, `prepare`, `open_model`
prepare       converts once and keeps it
measure       one contestant in a fresh process
contest       rounds, records, ratios
goals         the ratios that must be reached
"""
