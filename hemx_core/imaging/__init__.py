"""DICOM to HU volume to prepared slices, and masks back to native pixels (numpy, OpenCV, pydicom)."""
