"""stub"""
def write_dicom_series(volume, folder, **identity):
    raise NotImplementedError
