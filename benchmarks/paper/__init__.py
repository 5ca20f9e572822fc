"""The paper's experiments as commands: `hemx experiment NAME`.

jobs.py runs and remembers single trainings; scale.py says how large they are; studies.py gives the
slices; segmenters.py, classifiers.py and synthesis.py are the kinds of job. One module for each
experiment names its arms and the paper's numbers; table.py and plot.py show what came out.
"""
