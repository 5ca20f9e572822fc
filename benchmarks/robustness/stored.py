"""Results with every field filled, made from a seed: what the store's tests keep and compare."""

from __future__ import annotations

from dataclasses import fields, is_dataclass
from datetime import datetime, timedelta, timezone

import numpy as np

from hemx_core.imaging.volume import SeriesIdentity, VolumeGeometry
from hemx_core.intervals import GrowthInterval, VolumeInterval, Width
from hemx_core.markers import MARKER_CODES
from hemx_core.notes import Note, Phrase, Reason, Severity
from hemx_core.result import (
    Haematoma,
    MarkerResult,
    Recommendation,
    SignResult,
    SliceResult,
    StageCost,
    TriageResult,
)

JST = timezone(timedelta(hours=9))
VOLUME_INTERVAL = VolumeInterval(
    coverage=0.9, floor_ml=0.5, one=Width(width=0.1, errors=50), several=Width(width=0.2, errors=20)
)
GROWTH_INTERVAL = GrowthInterval(
    coverage=0.9,
    ratio=Width(width=0.05, errors=40),
    ratio_floor_ml=0.5,
    ml=Width(width=0.02, errors=40),
    ml_floor_ml=0.5,
)


def make_identity(seed: int = 0) -> SeriesIdentity:
    """A series of five slices, whose numbers come from the seed."""
    return SeriesIdentity(
        patient_id=f"P{seed:03d}",
        patient_name="Yamada^Tarou=山田^太郎=ヤマダ^タロウ",
        study_uid=f"1.2.{seed}",
        series_uid=f"1.2.{seed}.1",
        sop_instance_uids=tuple(f"1.2.{seed}.1.{index}" for index in range(5)),
        acquired_at=datetime(2026, 1, 2, 3, 4, 5, 678901, tzinfo=JST) + timedelta(days=seed),
        site="Clinic Ä",
        scanner="ACME One",
        series_description="Head 5.0 mm H31s",
        source="elsewhere",
    )


def make_result(seed: int = 0, *, slices: int = 5, size: int = 24) -> TriageResult:
    """Odd numbers everywhere: thirds, subnormals, numpy scalars, a tilted stack of uneven slices."""
    rng = np.random.default_rng(seed)
    mask = rng.random((slices, size, size)) > 0.7
    mask[0] = False
    geometry = VolumeGeometry(
        positions_mm=np.cumsum(rng.random((slices, 3)) + np.eye(3)[2], axis=0) / 3,
        row_direction=np.array([1.0, 0.0, 0.0]),
        column_direction=np.array([0.0, np.cos(0.1), np.sin(0.1)]),
        pixel_spacing_mm=(0.4882812, 1 / 3),
        slice_thickness_mm=rng.random(slices) + 0.1,
    )
    markers = {
        code: MarkerResult(
            code,
            float(rng.random()),
            1 / 7,
            bool(rng.random() > 0.5),
            index % slices,
            validated=index % 2 == 0,
        )
        for index, code in enumerate(MARKER_CODES)
    }
    return TriageResult(
        haematoma=Haematoma(
            mask=mask,
            volume_ml=float(rng.random() * 60),
            abc2_volume_ml=5e-324,
            component_volumes_ml=(1 / 3, 0.1),
            areas_mm2=tuple(rng.random(slices).tolist()),
            max_diameter_mm=np.float64(41.000000000000001),
            mean_hu=None if seed % 2 else 58.25,
            filled_ml=0.1 + 0.2,
        ),
        volume_interval=VOLUME_INTERVAL if seed % 2 else None,
        growth_interval=GROWTH_INTERVAL,
        markers=markers,
        slices=tuple(_slice(index, rng) for index in range(slices)),
        recommendation=list(Recommendation)[seed % 3],
        reasons=(Reason("large_haematoma", limit_ml=1 / 3), Reason("stored", sentence="予後")),
        notes=(
            Note(
                "series_choice",
                Severity.INFO,
                series=Phrase("series", number=2, description='"it" …', thickness_mm=(1 / 3, 5.0)),
                because=Phrase("because.asked_for"),
                aside=(Phrase("aside", reason=Phrase("localizer")), Phrase("more", count=3)),
            ),
            Note("window_changed", Severity.WARNING),
        ),
        geometry=geometry,
        identity=make_identity(seed),
        versions={"hemx": "0", "segmenter_sha256": "a" * 64},
        costs=(StageCost("read", 0.1, 100.5), StageCost("segment", 1 / 3, 0.0)),
        signs=(
            SignResult(
                code="blend",
                present=None,
                value=None,
                unit="HU",
                threshold=18.0,
                at_least=True,
                slice_index=None,
            ),
            SignResult(
                code="swirl",
                present=True,
                value=1e-17,
                unit="mm",
                threshold=9.0,
                at_least=False,
                slice_index=2,
            ),
        ),
    )


def _slice(index: int, rng: np.random.Generator) -> SliceResult:
    if index == 0:
        return SliceResult(0, 0.0)
    return SliceResult(
        index,
        float(rng.random() * 900),
        tuple(rng.random(4).tolist()),
        rng.random((4, 3, 5), dtype=np.float32),
        (-3.5, 1 / 3, 71.1, 71.1),
        (1 / 3, -1e-300, 0.1 + 0.2, -20.0),
    )


def assert_same(one: object, other: object, where: str = "result") -> None:
    """Hold two values equal to the last bit, field by field."""
    assert type(one) is type(other) or {type(one), type(other)} <= {float, np.float64}, where
    if is_dataclass(one):
        for field in fields(one):
            assert_same(
                getattr(one, field.name), getattr(other, field.name), f"{where}.{field.name}"
            )
    elif isinstance(one, np.ndarray):
        assert isinstance(other, np.ndarray)
        assert one.dtype == other.dtype, where
        assert one.shape == other.shape, where
        assert one.tobytes() == other.tobytes(), where
    elif isinstance(one, tuple | list):
        assert isinstance(other, tuple | list)
        assert len(one) == len(other), where
        for index, (a, b) in enumerate(zip(one, other, strict=True)):
            assert_same(a, b, f"{where}[{index}]")
    elif isinstance(one, dict):
        assert isinstance(other, dict)
        assert list(one) == list(other), where
        for key, value in one.items():
            assert_same(value, other[key], f"{where}[{key!r}]")
    else:
        assert one == other, where
