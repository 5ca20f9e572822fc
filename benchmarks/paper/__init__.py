"""The paper's experiments as commands: `hemx benchmark experiment NAME`.

data.py gives the slices; scale.py says how large an experiment is; segmenters.py, classifiers.py
and stage2.py are the kinds of job. One module for each experiment names its arms and the paper's
numbers; report.py shows what came out.
"""
