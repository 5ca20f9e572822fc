"""Tilt, changing spacing, missing and duplicate slices, mixed orientations."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from types import SimpleNamespace
from typing import Any, cast

import numpy as np
import pytest
from pydicom.dataset import Dataset

from hemx_core.imaging.geometry import (
    build_geometry,
    directions,
    geometry_notes,
    plane,
    stack,
    thicknesses,
    turn_for,
)
from hemx_core.imaging.headers import SliceHeader
from hemx_core.imaging.reader import list_series, read_series
from hemx_core.imaging.volume import HUVolume, StoredGrid, VolumeGeometry
from hemx_core.notes import Note, Severity
from hemx_core.words import tell
from tests.factories import ct_pixels, write_ct_series


def note(volume: HUVolume, code: str) -> str:
    """The message of a note, empty where there is none."""
    return next((tell(one) for one in volume.notes if one.code == code), "")


def stack_at(offsets: list[float]) -> dict[str, object]:
    return {
        "hu": ct_pixels(len(offsets)),
        "positions_mm": [(-100.0, -120.0, offset) for offset in offsets],
    }


@pytest.mark.parametrize("tilt", [18.5, -12.0])
def test_gantry_tilt_comes_from_the_positions(tmp_path: Path, tilt: float) -> None:
    angle = np.deg2rad(tilt)
    orientation = [1, 0, 0, 0, float(np.cos(angle)), float(np.sin(angle))]
    write_ct_series(tmp_path, ImageOrientationPatient=orientation, GantryDetectorTilt=3.0)
    volume = read_series(tmp_path)
    assert f"{abs(tilt):.1f} degrees" in note(volume, "gantry_tilt")
    assert abs(volume.geometry.tilt_deg) == pytest.approx(abs(tilt), abs=0.01)
    np.testing.assert_allclose(
        np.diff(volume.geometry.slice_offsets_mm), 5 * np.cos(angle), rtol=1e-6
    )


def test_an_oblique_stack_along_its_normal_is_not_tilted(tmp_path: Path) -> None:
    cos, sin = np.cos(0.3), np.sin(0.3)
    normal = np.cross([1, 0, 0], [0, cos, sin])
    write_ct_series(
        tmp_path,
        positions_mm=[(normal * 5 * index).tolist() for index in range(6)],
        ImageOrientationPatient=[1, 0, 0, 0, float(cos), float(sin)],
    )
    volume = read_series(tmp_path)
    assert not note(volume, "gantry_tilt")
    assert volume.geometry.spacing_mm[0] == pytest.approx(5)


def test_two_thicknesses_in_one_series_are_told_with_their_places(tmp_path: Path) -> None:
    offsets = [0, 4, 8, 12, 17.5, 24.5, 31.5, 38.5]

    def thicken(index: int, dataset: Dataset) -> None:
        dataset.SliceThickness = 4 if index < 4 else 7

    write_ct_series(tmp_path, **stack_at(offsets), change=thicken)  # type: ignore[arg-type]
    volume = read_series(tmp_path)
    told = note(volume, "unequal_spacing")
    assert "slices 1 to 4: 4 mm thick, 4.0 mm apart" in told
    assert "5.5 mm between slices 4 and 5" in told
    assert "slices 5 to 8: 7 mm thick, 7.0 mm apart" in told
    assert not note(volume, "missing_slices")
    np.testing.assert_array_equal(volume.geometry.slice_thickness_mm, [4] * 4 + [7] * 4)
    np.testing.assert_allclose(volume.geometry.slice_extents_mm.sum(), 4 / 2 + 38.5 + 7 / 2)


def test_changing_spacing_at_one_thickness_is_no_gap(tmp_path: Path) -> None:
    write_ct_series(tmp_path, **stack_at([0, 5, 10, 15, 25, 35, 45]))  # type: ignore[arg-type]
    volume = read_series(tmp_path)
    assert "10.0 mm apart from 4 to 7" in note(volume, "unequal_spacing")
    assert "5 mm lie 10.0 mm apart" in note(volume, "slice_gap")
    assert not note(volume, "missing_slices")


def test_missing_slices_are_told_with_their_place(tmp_path: Path) -> None:
    offsets = [0.0, 5, 10, 20, 25, 30, 45, 50, 55]
    write_ct_series(tmp_path, **stack_at(offsets))  # type: ignore[arg-type]
    volume = read_series(tmp_path)
    told = note(volume, "missing_slices")
    assert "Missing: 1 between slices 3 and 4, 10.0 mm above" in told
    assert "2 between slices 6 and 7, 30.0 mm above the first slice, where 15.0 mm" in told
    assert not note(volume, "unequal_spacing")


def test_equal_copies_of_a_slice_are_dropped(tmp_path: Path) -> None:
    paths = write_ct_series(tmp_path)
    (tmp_path / "copy").write_bytes(paths[3].read_bytes())
    volume = read_series(tmp_path)
    np.testing.assert_array_equal(volume.hu, ct_pixels())
    assert "1 slice " in note(volume, "duplicate_slices")
    assert not note(volume, "duplicate_slices_differ")


def test_of_different_slices_in_one_place_the_first_number_stays(tmp_path: Path) -> None:
    write_ct_series(tmp_path)

    def renumber(index: int, dataset: Dataset) -> None:
        dataset.SOPInstanceUID = f"1.2.{index}"
        dataset.InstanceNumber = 100 if index != 1 else 0

    places = [(-100.0, -120.0, index * 5.0) for index in (1, 2)]
    again = ct_pixels()[1:3] + 300
    write_ct_series(tmp_path / "again", hu=again, positions_mm=places, change=renumber)
    volume = read_series(tmp_path)
    expected = ct_pixels()
    expected[2] += 300
    np.testing.assert_array_equal(volume.hu, expected)
    (found,) = (one for one in volume.notes if one.code == "duplicate_slices_differ")
    assert found.severity is Severity.WARNING
    assert found.values["count"] == 2


def test_orientations_of_one_series_are_told_apart(tmp_path: Path) -> None:
    def tip(index: int, dataset: Dataset) -> None:
        if index >= 7:
            dataset.ImageOrientationPatient = [1, 0, 0, 0, 0, -1]
            dataset.ImagePositionPatient = [0, index * 5.0, 0]

    write_ct_series(tmp_path, hu=ct_pixels(13), change=tip)
    volume = read_series(tmp_path)
    assert volume.shape[0] == 7
    assert "coronal" in note(volume, "series_choice")
    parts = list_series(tmp_path)
    assert [(part.plane, part.slices, part.usable) for part in parts] == [
        ("axial", 7, True),
        ("coronal", 6, False),
    ]
    assert parts[0].key == f"{parts[0].series_uid}#1"
    assert read_series(tmp_path, series=parts[0].key).shape[0] == 7


def test_slices_beside_the_stack_are_told(tmp_path: Path) -> None:
    positions = [(-100.0 + (20 if index == 3 else 0), -120.0, index * 5.0) for index in range(6)]
    write_ct_series(tmp_path, positions_mm=positions)
    assert "slice 4 is 20.0 mm off" in note(read_series(tmp_path), "shifted_slices")


def test_an_unknown_thickness_is_told(tmp_path: Path) -> None:
    write_ct_series(tmp_path, SliceThickness=None, step_mm=3.0)
    volume = read_series(tmp_path)
    assert "6 slices" in note(volume, "thickness_unknown")
    np.testing.assert_allclose(volume.geometry.slice_thickness_mm, 3.0)


def header(
    position_mm: tuple[float, float, float] = (0.0, 0.0, 0.0),
    *,
    orientation: Sequence[float] | None = (1, 0, 0, 0, 1, 0),
    thickness_mm: float | None = 5.0,
    location_mm: float | None = None,
    number: int = 0,
    frame: int | None = None,
    name: str = "",
) -> SliceHeader:
    """What the functions here read of a header: rows and columns of 4 x 6, pixels of 0.5 x 0.8 mm."""
    facts = SimpleNamespace(rows=4, columns=6, instance_number=number)
    return cast(
        SliceHeader,
        SimpleNamespace(
            orientation=orientation, position_mm=position_mm, spacing_mm=(0.5, 0.8),
            thickness_mm=thickness_mm, location_mm=location_mm, facts=facts, frame=frame, name=name,
        ),
    )  # fmt: skip


def test_rounded_directions_are_made_exact_and_impossible_ones_refused() -> None:
    found = directions([1.005, 0, 0, 0.004, 0.999, 0])
    assert found is not None
    np.testing.assert_allclose(found, [[1, 0, 0], [0, 1, 0]], atol=1e-9)
    assert directions(None) is None
    assert directions([1.02, 0, 0, 0, 1, 0]) is None
    assert directions([1, 0, 0, 0, 0.98, 0]) is None
    slanted = [1, 0, 0, np.sin(0.02), np.cos(0.02), 0]
    assert directions(slanted) is None
    assert directions([1, 0, 0, -np.sin(0.02), np.cos(0.02), 0]) is None


@pytest.mark.parametrize(
    ("orientation", "expected"),
    [
        ([1, 0, 0, 0, 1, 0], "axial"),
        ([1, 0, 0, 0, np.cos(0.5), np.sin(0.5)], "axial"),
        ([1, 0, 0, 0, 0, -1], "coronal"),
        ([0, 1, 0, 0, 0, -1], "sagittal"),
        (None, ""),
        ([2, 0, 0, 0, 1, 0], ""),
    ],
)
def test_the_plane_is_the_nearest(orientation: list[float] | None, expected: str) -> None:
    assert plane(orientation) == expected


def test_slices_are_ordered_feet_to_head_and_near_ones_share_a_place() -> None:
    offsets = [10.0, 0.0, 5.0, 5.04, 5.06]
    made = [header((0, 0, z), number=9 - index, name=str(z)) for index, z in enumerate(offsets)]
    places = [[one.name for one in slot] for slot in stack(made)]
    assert places == [["0.0"], ["5.04", "5.0"], ["5.06"], ["10.0"]]
    # The rows run to the front: the normal points to the feet, the order stays.
    turned = [header((0, 0, z), orientation=(1, 0, 0, 0, -1, 0)) for z in (5.0, 0.0)]
    assert [slot[0].position_mm for slot in stack(turned)] == [(0, 0, 0.0), (0, 0, 5.0)]


def test_at_one_place_instance_then_frame_then_name_decide() -> None:
    made = [
        header(number=2, name="a"), header(number=1, frame=2, name="b"),
        header(number=1, frame=1, name="d"), header(number=1, frame=1, name="c"),
        header(number=1, name="e"),
    ]  # fmt: skip
    assert [one.name for one in stack(made)[0]] == ["e", "c", "d", "b", "a"]


@pytest.mark.parametrize("row", [(1, 0, 0), (-1, 0, 0), (0, 1, 0), (0, -1, 0)])
@pytest.mark.parametrize("sign", [1, -1])
def test_every_axial_turn_ends_nose_up_with_each_pixel_where_it_was(
    row: tuple[int, int, int], sign: int
) -> None:
    column = (0, sign, 0) if row[0] else (sign, 0, 0)
    orientation = (*row, *column)
    grid = turn_for(orientation)
    headers = [header((3, 7, z), orientation=orientation) for z in (0.0, 5.0)]
    geometry = build_geometry(headers, grid)
    np.testing.assert_allclose(geometry.row_direction, [1, 0, 0], atol=1e-12)
    np.testing.assert_allclose(geometry.column_direction, [0, 1, 0], atol=1e-12)
    stored = np.array(
        [[[3, 7, 0] + np.array(row) * 0.8 * j + np.array(column) * 0.5 * i for j in range(6)]
         for i in range(4)]
    )  # fmt: skip
    shown = stored.transpose(1, 0, 2) if grid.transpose else stored
    shown = shown[::-1] if grid.flip_rows else shown
    shown = shown[:, ::-1] if grid.flip_columns else shown
    dy, dx = geometry.pixel_spacing_mm
    for i in range(shown.shape[0]):
        for j in range(shown.shape[1]):
            place = geometry.positions_mm[0] + [j * dx, i * dy, 0]
            np.testing.assert_allclose(shown[i, j], place, atol=1e-9)


def test_a_missing_thickness_is_the_distance_to_the_nearer_neighbour() -> None:
    headers = [header(thickness_mm=None) for _ in range(3)] + [header(thickness_mm=7.0)]
    offsets = np.array([0.0, 4.0, 6.0, 16.0])
    np.testing.assert_allclose(thicknesses(headers, offsets), [4, 2, 2, 7])
    np.testing.assert_allclose(thicknesses(headers[:1], np.array([0.0])), [1])
    np.testing.assert_allclose(thicknesses(headers[:2], np.array([3.0, 0.0])), [3, 3])


def notes_of(
    offsets: Sequence[float],
    *,
    thickness: float | Sequence[float] = 5.0,
    aside: dict[int, float] | None = None,
    positions: Sequence[str] = (),
    locations: Sequence[float | None] = (),
) -> list[Note]:
    """The notes of a stack from 20 mm up."""
    count = len(offsets)
    places = np.array([[(aside or {}).get(i, 0.0), 0, 20 + z] for i, z in enumerate(offsets)])
    geometry = VolumeGeometry(
        positions_mm=places,
        row_direction=np.array([1.0, 0, 0]),
        column_direction=np.array([0, 1.0, 0]),
        pixel_spacing_mm=(0.5, 0.8),
        slice_thickness_mm=np.broadcast_to(np.asarray(thickness, float), (count,)).copy(),
    )
    headers = [header() for _ in range(count)]
    for index, one in enumerate(headers):
        one.facts.patient_position = positions[index] if positions else "HFS"
        vars(one)["location_mm"] = locations[index] if locations else None
    return list(geometry_notes(geometry, headers, StoredGrid()))


def told_of(offsets: Sequence[float], **values: Any) -> dict[str, str]:
    """The same as sentences, by code."""
    return {found.code: tell(found) for found in notes_of(offsets, **values)}


def _from(steps: Sequence[float]) -> list[float]:
    return [0.0, *np.cumsum(steps).tolist()]


def test_a_regular_stack_has_no_notes() -> None:
    assert told_of(_from([5] * 5)) == {}


@pytest.mark.parametrize(("step", "told"), [(5.59, False), (5.7, True)])
def test_tissue_is_unseen_from_a_tenth_more_than_the_thickness(step: float, told: bool) -> None:
    assert ("slice_gap" in told_of(_from([step] * 4))) is told


def test_the_thicker_neighbour_decides_and_the_widest_gap_is_told() -> None:
    assert "slice_gap" not in told_of(_from([7.0] * 3), thickness=[5, 7, 5, 7])
    assert "slice_gap" not in told_of(_from([7.0] * 3), thickness=[7, 5, 7, 5])
    told = told_of(_from([7, 7, 7, 9, 9, 9, 8, 8, 8]))
    assert "5 mm lie 9.0 mm apart" in told["slice_gap"]


@pytest.mark.parametrize(("step", "told"), [(5.34, False), (5.36, True)])
def test_distances_differ_from_a_twentieth_and_a_tenth_of_a_millimetre(
    step: float, told: bool
) -> None:
    assert ("unequal_spacing" in told_of(_from([5, 5, 5, step]))) is told


@pytest.mark.parametrize(("thickness", "told"), [(5.004, False), (5.006, True)])
def test_thicknesses_differ_from_a_hundredth(thickness: float, told: bool) -> None:
    found = told_of(_from([5] * 3), thickness=[5, 5, 5, thickness])
    assert ("unequal_spacing" in found) is told


@pytest.mark.parametrize(("mm", "told"), [(0.9, False), (1.0, False), (1.1, True), (1.9, True)])
@pytest.mark.parametrize("count", [3, 4])
def test_a_slice_more_than_a_millimetre_aside_is_told(count: int, mm: float, told: bool) -> None:
    found = told_of(_from([5] * (count - 1)), aside={1: mm})
    assert ("shifted_slices" in found) is told
    if told:
        assert f"slice 2 is {mm:.1f} mm off" in found["shifted_slices"]


def test_two_slices_lie_in_one_line_and_so_does_a_tilted_stack() -> None:
    assert "shifted_slices" not in told_of([0, 5], aside={1: 4})
    assert "shifted_slices" not in told_of(_from([5] * 3), aside={0: 0, 1: 2, 2: 4, 3: 6})


def test_places_of_missing_slices_count_from_the_first_slice() -> None:
    told = told_of(_from([5, 5, 5, 10, 5, 5, 5]))["missing_slices"]
    assert "1 between slices 4 and 5, 15.0 mm above the first slice" in told


def test_up_to_six_changes_of_distance_are_told_one_by_one() -> None:
    steps = [5, 6] * 3
    told = told_of(_from(steps))["unequal_spacing"]
    assert "5.0 mm apart from 1 to 2" in told
    assert "6.0 mm apart from 6 to 7" in told
    told = told_of(_from([*steps, 5]))["unequal_spacing"]
    assert "5.0 to 6.0 mm apart" in told
    assert "from 1 to 2" not in told
    alike = told_of(_from([5.02, 5.04, 4.98]), thickness=[4, 5, 5, 5])["unequal_spacing"]
    assert "5 mm thick, 5.0 mm apart" in alike


def test_that_no_distance_recurs_is_told_where_none_does() -> None:
    assert "recurs" in told_of(_from([5, 8, 12]))["unequal_spacing"]
    assert "recurs" not in told_of(_from([5, 5, 5, 8, 8, 8]))["unequal_spacing"]


def test_the_position_is_the_first_slice_s() -> None:
    assert "HFP" in told_of(_from([5, 5]), positions=["HFP", "HFS", "HFS"])["patient_position"]
    assert told_of(_from([5, 5]), positions=["HFS", "HFP", "HFP"]) == {}
    assert told_of(_from([5, 5]), positions=["", "HFP", "HFP"]) == {}


@pytest.mark.parametrize(
    ("thickness", "step", "told"),
    [(5.0, 5.0, None), (5.5, 5.0, None), (5.0, 2.5, Severity.INFO), (10.0, 5.0, Severity.INFO),
     (20.0, 5.0, Severity.CAUTION), (50.0, 5.0, Severity.CAUTION)],
)  # fmt: skip
def test_thick_slices_may_overlap_and_too_thick_ones_are_a_caution(
    thickness: float, step: float, told: Severity | None
) -> None:
    found = notes_of(_from([step] * 20), thickness=thickness)
    assert [note.severity for note in found if note.code == "slices_overlap"] == [told] * bool(told)
    assert not any(note.severity is Severity.WARNING for note in found)


def test_a_thickness_that_is_too_small_is_told_to_disagree() -> None:
    told = told_of(_from([5.0] * 5), thickness=1.25)["slice_gap"]
    assert "disagree" in told
    assert "not seen" in told
    # Also where no distance recurs.
    assert "slice_gap" in told_of(_from([8, 11, 14]), thickness=5.0)


@pytest.mark.parametrize("tilt", [1.0, 1 / np.cos(np.deg2rad(30))])
def test_locations_that_agree_say_nothing(tilt: float) -> None:
    offsets = _from([5.0] * 5)
    for sign in (1, -1):
        places = [sign * tilt * offset + 700 for offset in offsets]
        assert told_of(offsets, locations=places) == {}
    assert told_of(offsets, locations=[0.0] * 6) == {}
    assert told_of(offsets, locations=[0.0, 50, 20, 90, 1, 3]) == {}
    assert told_of(offsets, locations=[0.0, 50, 100, 150, 200, None]) == {}


def test_positions_in_another_unit_are_a_warning() -> None:
    steps = [0.5] * 29  # centimetres
    located = notes_of(_from(steps), locations=[5.0 * i for i in range(30)])
    (told,) = [note for note in located if note.severity is Severity.WARNING]
    assert (told.code, told.values["mm"], told.values["other_mm"]) == (
        "distance_doubtful",
        0.5,
        5.0,
    )
    assert "by SliceLocation 5.0 mm" in tell(told)
    assert "by their thickness 5.0 mm" in told_of(_from(steps))["distance_doubtful"]
    micro = told_of(_from([50.0] * 5), locations=[5.0 * i for i in range(6)])
    assert "distance_doubtful" in micro
    # Slabs over a short piece of the head are no head in centimetres.
    assert "distance_doubtful" not in told_of(_from([2.5] * 8), thickness=5.0)
