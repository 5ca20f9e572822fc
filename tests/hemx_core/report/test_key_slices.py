from dataclasses import replace

from hemx_core.report.key_slices import LARGEST, key_slices
from hemx_core.result import MarkerResult, SignResult, SliceResult, TriageResult
from hemx_core.triage import triage_volume
from tests.factories import ThresholdModels, simple_head


def _result(
    areas: list[float], markers: dict[str, tuple[float, int]], signs: dict[str, int]
) -> TriageResult:
    """A result with areas, markers (probability, slice; threshold 0.5) and signs that were found."""
    empty = triage_volume(simple_head(), ThresholdModels())
    return replace(
        empty,
        slices=tuple(SliceResult(index, area) for index, area in enumerate(areas)),
        markers={
            code: MarkerResult(code, probability, 0.5, probability >= 0.5, index)
            for code, (probability, index) in markers.items()
        },
        signs=tuple(
            SignResult(
                code=code,
                present=True,
                value=1.0,
                unit="",
                threshold=0.5,
                at_least=True,
                slice_index=index,
            )
            for code, index in signs.items()
        ),
    )


AREAS = [0, 5, 20, 60, 90, 80, 40, 10, 2, 0]


def test_area_markers_and_signs_come_first_and_in_volume_order() -> None:
    result = _result(AREAS, {"blend": (0.9, 6), "irregular": (0.3, 1)}, {"swirl": 6, "island": 2})
    chosen = key_slices(result, 3)
    assert [one.index for one in chosen] == [2, 4, 6]
    assert [one.shows for one in chosen] == [("island",), (LARGEST,), ("blend", "swirl")]


def test_the_more_probable_marker_wins_the_last_place() -> None:
    result = _result(AREAS, {"blend": (0.6, 6), "irregular": (0.8, 2)}, {})
    assert [one.index for one in key_slices(result, 2)] == [2, 4]


def test_free_places_go_to_the_farthest_slices_with_blood() -> None:
    chosen = key_slices(_result(AREAS, {}, {}), 3)
    assert [one.index for one in chosen] == [1, 4, 8]
    assert [one.shows for one in chosen] == [(), (LARGEST,), ()]


def test_there_are_never_more_than_slices_with_blood() -> None:
    assert [one.index for one in key_slices(_result([0, 3, 0, 7], {}, {}), 5)] == [1, 3]


def test_without_blood_slices_are_spread() -> None:
    assert [one.index for one in key_slices(_result([0.0] * 10, {}, {}), 5)] == [1, 3, 5, 7, 9]
    assert [one.index for one in key_slices(_result([0.0] * 3, {}, {}), 5)] == [0, 1, 2]
