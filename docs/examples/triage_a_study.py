"""Triage one study: a DICOM folder, a file, a DICOMDIR or a zip."""

import hemx_core as hemx

# A synthetic head CT stands in for a patient's.
hemx.phantom(seed=3, volume_ml=35, matrix=256, out="phantom")

result = hemx.triage("phantom/baseline")
print(result.recommendation)
print(f"{result.haematoma.volume_ml:.1f} mL")
for note in result.notes:
    print("Note:", note.code)

# result.json, overview.png, and a picture of each slice with blood.
for path in result.save("result").files:
    print(path)
