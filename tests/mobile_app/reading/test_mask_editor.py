from __future__ import annotations

import numpy as np
import pytest

from hemx_core.errors import VolumeError
from hemx_core.imaging.volume import VolumeGeometry
from hemx_core.measure.estimate import estimate_volume
from hemx_core.measure.volume import slice_areas_mm2, volume_ml
from mobile_app.reading.mask_editor import MaskEditor, replay, sweep
from mobile_app.store import BrushStroke

BRUSH_GEOMETRY = VolumeGeometry.axial(2, spacing_mm=(5.0, 0.5, 1.0))


def covered(begin: tuple[float, float], end: tuple[float, float], radius: float) -> np.ndarray:
    mask = np.zeros((40, 30), bool)
    sweep(mask, begin, end, radius, BRUSH_GEOMETRY, blood=True)
    return mask


def test_a_dot_is_round_in_millimetres() -> None:
    rows, columns = np.nonzero(covered((20, 15), (20, 15), radius=8))  # 4 mm
    assert (rows.min(), rows.max()) == (12, 28)
    assert (columns.min(), columns.max()) == (11, 19)
    assert np.hypot((rows - 20) * 0.5, (columns - 15) * 1.0).max() <= 4


def test_a_sweep_covers_what_lies_within_the_radius_of_its_way() -> None:
    begin, end, radius = np.array([8.0, 5.0]), np.array([30.0, 24.0]), 6
    spacing = np.array([0.5, 1.0])
    expected = np.zeros((40, 30), bool)
    steps = np.linspace(begin, end, 2000) * spacing
    for place in np.argwhere(~expected):
        expected[tuple(place)] = np.hypot(*(steps - place * spacing).T).min() <= radius * 0.5
    drawn = covered(tuple(begin), tuple(end), radius)
    # The sampled way is a little shorter than the exact one.
    assert (drawn ^ expected).sum() <= 1
    assert drawn.sum() > 200


def test_the_smallest_brush_reaches_the_pixel_under_it() -> None:
    for corner in ((10.5, 10.5), (10.0, 10.0), (9.5, 10.49)):
        assert covered(corner, corner, radius=0.1).any()


@pytest.mark.parametrize("place", [(-40.0, 15.0), (20.0, 90.0), (80.0, -9.0)])
def test_outside_the_slice_nothing_happens(place: tuple[float, float]) -> None:
    assert not covered(place, place, radius=6).any()


def test_half_outside_the_rest_is_drawn() -> None:
    mask = covered((0, 0), (0, 0), radius=4)
    assert mask[0, 0]
    assert mask[4, 0]
    assert not mask[5:].any()


def test_an_eraser_takes_away_and_strokes_replay_in_order() -> None:
    network = np.zeros((2, 40, 30), bool)
    network[1, 10:20, 10:20] = True
    strokes = (
        BrushStroke(slice_index=1, radius=4, erases=True, points=((15, 10), (15, 20))),
        BrushStroke(slice_index=1, radius=2, erases=False, points=((15, 15),)),
    )
    drawn = replay(network, strokes, BRUSH_GEOMETRY)
    assert not drawn[0].any()
    assert drawn[1, 15, 15]
    assert not drawn[1, 15, 11]
    assert drawn[1, 10, 12]
    assert network[1].sum() == 100


GEOMETRY = VolumeGeometry.axial(4, spacing_mm=(5.0, 0.6, 0.5))


def network() -> np.ndarray:
    mask = np.zeros((4, 64, 48), bool)
    mask[1, 20:40, 20:30] = True
    mask[2, 25:35, 18:32] = True
    return mask


def draw(
    editor: MaskEditor, index: int, *points: tuple[float, float], erases: bool = False
) -> bool:
    editor.begin(index, points[0], radius_mm=2.0, erases=erases)
    for point in points[1:]:
        editor.extend(point)
    return editor.end()


def mask_of(editor: MaskEditor) -> np.ndarray:
    return np.stack([editor.slice_mask(index) for index in range(4)])


def test_volume_and_areas_follow_every_point_of_a_stroke() -> None:
    editor = MaskEditor(network(), GEOMETRY)
    before = editor.volume_ml
    editor.begin(1, (30, 40), radius_mm=2.0, erases=False)
    volumes = [before, editor.volume_ml]
    for column in (36, 32, 28):
        editor.extend((50, column))
        volumes.append(editor.volume_ml)
    assert volumes == sorted(volumes)
    assert len(set(volumes)) == len(volumes)
    areas = slice_areas_mm2(mask_of(editor), GEOMETRY)
    assert editor.areas_mm2.tolist() == areas.tolist()
    assert editor.volume_ml == pytest.approx(volume_ml(areas, GEOMETRY))


def test_the_network_s_mask_is_never_written_to() -> None:
    given = network()
    editor = MaskEditor(given, GEOMETRY)
    draw(editor, 1, (5, 5), (60, 40))
    draw(editor, 2, (30, 20), erases=True)
    assert np.array_equal(given, network())
    assert editor.corrected


def test_undo_and_redo_go_through_all_states() -> None:
    editor = MaskEditor(network(), GEOMETRY)
    states = [mask_of(editor)]
    for index, erases in ((1, False), (2, True), (3, False)):
        assert draw(editor, index, (30, 25), (40, 35), erases=erases)
        states.append(mask_of(editor))
    for state in reversed(states[:-1]):
        assert editor.undo()
        assert np.array_equal(mask_of(editor), state)
    assert not editor.can_undo
    assert not editor.corrected
    assert editor.undo() == ()
    for state in states[1:]:
        assert editor.redo()
        assert np.array_equal(mask_of(editor), state)
    assert not editor.can_redo
    assert editor.areas_mm2.tolist() == slice_areas_mm2(states[-1], GEOMETRY).tolist()


def test_a_new_stroke_ends_what_could_be_redone() -> None:
    editor = MaskEditor(network(), GEOMETRY)
    draw(editor, 0, (10, 10))
    editor.undo()
    draw(editor, 0, (50, 40))
    assert editor.redo() == ()
    assert editor.slice_mask(0)[50, 40]
    assert not editor.slice_mask(0)[10, 10]


def test_a_stroke_that_changes_nothing_is_no_step() -> None:
    editor = MaskEditor(network(), GEOMETRY)
    assert not draw(editor, 0, (10, 10), (20, 20), erases=True)
    assert not editor.can_undo
    assert not editor.unsaved


def test_a_cancelled_stroke_leaves_no_trace() -> None:
    editor = MaskEditor(network(), GEOMETRY)
    editor.begin(1, (30, 25), radius_mm=3.0, erases=True)
    editor.extend((35, 28))
    editor.cancel()
    assert np.array_equal(mask_of(editor), network())
    assert not editor.can_undo
    assert editor.volume_ml == MaskEditor(network(), GEOMETRY).volume_ml


def test_discard_goes_back_to_what_was_saved_and_can_be_undone() -> None:
    editor = MaskEditor(network(), GEOMETRY)
    draw(editor, 1, (10, 10))
    snapshot = editor.snapshot()
    editor.mark_saved(snapshot)
    assert not editor.unsaved
    draw(editor, 2, (10, 10))
    drawn = mask_of(editor)
    assert editor.unsaved
    assert editor.discard() == (2,)
    assert np.array_equal(mask_of(editor), snapshot.mask)
    assert not editor.unsaved
    editor.undo()
    assert np.array_equal(mask_of(editor), drawn)
    assert editor.unsaved


def test_back_to_the_network_is_a_change_to_be_saved() -> None:
    corrected = network()
    corrected[3, 5:9, 5:9] = True
    editor = MaskEditor(network(), GEOMETRY, saved=corrected)
    assert editor.corrected
    assert not editor.unsaved
    assert editor.to_network() == (3,)
    assert not editor.corrected
    assert editor.unsaved
    assert editor.strokes == ()
    assert editor.undo() == (3,)
    assert np.array_equal(mask_of(editor), corrected)
    assert not editor.unsaved


def test_strokes_lead_from_the_network_s_mask_to_the_corrected_one() -> None:
    editor = MaskEditor(network(), GEOMETRY)
    draw(editor, 1, (10.3, 12.7), (44.1, 30.2), (60.0, 10.0))
    draw(editor, 2, (30.5, 20.5), (28.0, 31.0), erases=True)
    assert np.array_equal(replay(network(), editor.strokes, GEOMETRY), mask_of(editor))
    again = MaskEditor(
        network(), GEOMETRY, saved=mask_of(editor), strokes=editor.snapshot().state.strokes
    )
    draw(again, 0, (20.0, 20.0))
    assert np.array_equal(replay(network(), again.strokes, GEOMETRY), mask_of(again))


def test_a_snapshot_does_not_change_with_what_is_drawn_after_it() -> None:
    editor = MaskEditor(network(), GEOMETRY)
    draw(editor, 1, (10, 10))
    snapshot = editor.snapshot()
    before = snapshot.mask
    draw(editor, 1, (50, 40))
    assert np.array_equal(snapshot.mask, before)
    editor.mark_saved(snapshot)
    assert editor.unsaved


def test_the_estimate_in_the_blood_s_box_is_the_whole_mask_s() -> None:
    editor = MaskEditor(network(), GEOMETRY)
    draw(editor, 1, (0, 0), (63, 47))
    whole, boxed = estimate_volume(mask_of(editor), GEOMETRY, None), editor.estimate()
    assert boxed.volume_ml == pytest.approx(whole.volume_ml)
    empty = MaskEditor(np.zeros_like(network()), GEOMETRY)
    assert empty.estimate().volume_ml == 0


def test_masks_that_do_not_fit_are_refused() -> None:
    with pytest.raises(VolumeError):
        MaskEditor(network()[:3], GEOMETRY)
    with pytest.raises(VolumeError):
        MaskEditor(network(), GEOMETRY, saved=network().astype(np.uint8))
