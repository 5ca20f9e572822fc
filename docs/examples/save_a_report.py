"""Save a referral in Japanese (PDF and PNG), and the mask and the report as DICOM objects."""

import hemx_core as hemx

hemx.phantom(seed=3, volume_ml=35, matrix=256, out="phantom")
result = hemx.triage("phantom/baseline", language="ja")

# Files name the patient only with identify=True. DICOM objects need the extra `dicom`.
for path in result.save("report", pdf=True, dicom=True).files:
    print(path)
