"""HEMX core: haematoma segmentation and expansion markers on non-contrast head CT.

Research software, not a medical device. Importing this package imports nothing heavy: neither torch
nor executorch, OpenCV or pydicom.
"""

__version__ = "0.1.0"
