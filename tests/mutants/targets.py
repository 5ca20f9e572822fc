"""The modules that are broken on purpose, and the tests that must notice."""

_MEASURE = "tests/hemx_core/measure"
_IMAGING = "tests/hemx_core/imaging"

TARGETS: dict[str, tuple[str, ...]] = {
    "hemx_core/measure/volume.py": (f"{_MEASURE}/test_volume.py",),
    "hemx_core/intervals.py": ("tests/hemx_core/test_intervals.py",),
    "hemx_core/measure/estimate.py": (f"{_MEASURE}/test_estimate.py",),
    "hemx_core/measure/expansion.py": (f"{_MEASURE}/test_expansion.py",),
    "hemx_core/measure/aggregate.py": (f"{_MEASURE}/test_aggregate.py",),
    "hemx_core/measure/haematoma.py": (
        f"{_MEASURE}/test_haematoma.py",
        f"{_MEASURE}/test_clean.py",
    ),
    "hemx_core/measure/clean.py": (f"{_MEASURE}/test_clean.py",),
    "hemx_core/measure/bridges.py": (
        f"{_MEASURE}/test_bridges.py",
        f"{_MEASURE}/test_distances.py",
    ),
    "hemx_core/measure/unseen.py": (f"{_MEASURE}/test_distances.py",),
    "hemx_core/measure/corrected.py": (f"{_MEASURE}/test_corrected.py",),
    "hemx_core/measure/signs.py": (f"{_MEASURE}/test_signs.py",),
    "hemx_core/measure/clot.py": (f"{_MEASURE}/test_clot.py", f"{_MEASURE}/test_signs.py"),
    "hemx_core/measure/densities.py": (
        f"{_MEASURE}/test_densities.py",
        f"{_MEASURE}/test_signs.py",
    ),
    "hemx_core/imaging/prepare.py": (f"{_IMAGING}/test_prepare.py",),
    "hemx_core/imaging/spacing.py": (f"{_IMAGING}/test_spacing.py",),
    "hemx_core/imaging/geometry.py": (
        f"{_IMAGING}/test_geometry.py",
        f"{_IMAGING}/test_reader.py",
    ),
    "hemx_core/bundle/signature.py": ("tests/hemx_core/bundle/test_signature.py",),
    "hemx_core/comparison.py": ("tests/hemx_core/test_comparison.py",),
    "mobile_app/lock/pin.py": ("tests/mobile_app/lock/test_pin.py",),
}
