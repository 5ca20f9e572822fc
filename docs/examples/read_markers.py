"""Read the markers of expansion: per patient, per slice, and the rule-based second opinion."""

import hemx_core as hemx

phantom = hemx.phantom(seed=11, volume_ml=40, markers=["blend"], matrix=256)
result = hemx.triage(phantom.volume)

for code, marker in result.markers.items():
    answer = "present" if marker.present else "absent"
    print(f"{code}: {answer}, {marker.probability:.2f} of {marker.threshold:.2f}")
    counted = "counts" if marker.validated else "not validated: does not count"
    print(f"  shown best on slice {marker.slice_index + 1}; {counted}")

for found in result.slices:
    if found.blood_area_mm2:
        print(found.index + 1, [round(share, 2) for share in found.probabilities])

for sign in result.signs:
    print(sign.code, sign.present, sign.value, sign.unit)
