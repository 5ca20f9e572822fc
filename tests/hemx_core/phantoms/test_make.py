import dataclasses
from collections.abc import Callable

import numpy as np
import pytest

from hemx_core.errors import VolumeError
from hemx_core.phantoms import (
    HeadSpec,
    LesionSpec,
    Phantom,
    PhantomSpec,
    SiteSpec,
    grow,
    make_phantom,
)


def small_site(**changes: object) -> SiteSpec:
    site = SiteSpec(matrix=96, slices=14, slice_spacing_mm=8.0, slice_thickness_mm=8.0)
    return dataclasses.replace(site, **changes)


@pytest.fixture(scope="module")
def phantom() -> Phantom:
    return make_phantom(PhantomSpec(seed=3, lesion=LesionSpec(volume_ml=40), site=small_site()))


def test_the_same_specification_gives_the_same_pixels(phantom: Phantom) -> None:
    again = make_phantom(phantom.spec)
    assert np.array_equal(again.volume.hu, phantom.volume.hu)
    assert np.array_equal(again.mask, phantom.mask)
    assert again.volume.identity == phantom.volume.identity


def test_another_noise_seed_changes_the_noise_only(phantom: Phantom) -> None:
    other = make_phantom(dataclasses.replace(phantom.spec, noise_seed=9))
    assert np.array_equal(other.mask, phantom.mask)
    difference = other.volume.hu.astype(float) - phantom.volume.hu
    assert abs(difference.mean()) < 0.2
    assert 1.0 < difference[phantom.mask].std() < 8.0


def test_tissues_have_their_hu(phantom: Phantom) -> None:
    hu = phantom.volume.hu
    assert hu.dtype == np.int16
    assert hu.min() >= -1024
    assert np.median(hu[:, :4, :4]) == pytest.approx(-1000, abs=30)
    assert np.percentile(hu, 99) > 500, "bone"
    assert hu[phantom.mask].mean() == pytest.approx(phantom.spec.lesion.clot_hu, abs=8)
    brain = hu[7, 40:60, 40:60][~phantom.mask[7, 40:60, 40:60]]
    assert 22 < np.median(brain) < 42


def test_volume_is_the_one_asked_for(phantom: Phantom) -> None:
    assert phantom.haematoma_volume_ml == pytest.approx(40, rel=0.08)


@pytest.mark.parametrize(("side", "right_of_middle"), [("left", True), ("right", False)])
def test_the_patients_left_is_on_the_right_of_the_picture(side: str, right_of_middle: bool) -> None:
    lesion = LesionSpec(side=side, volume_ml=40)
    made = make_phantom(PhantomSpec(lesion=lesion, site=small_site()))
    columns = np.nonzero(made.mask)[2]
    assert bool(columns.mean() > 48) is right_of_middle


def test_the_nose_is_up(phantom: Phantom) -> None:
    soft = phantom.volume.hu[1] > -300
    air_in_head = ~soft[10:86, 30:66]
    rows = np.nonzero(air_in_head)[0]
    assert rows.mean() < 38, "sinuses and nasal cavity lie in the upper half"


def test_a_head_without_lesion_has_no_truth() -> None:
    made = make_phantom(PhantomSpec(lesion=None, site=small_site()))
    assert not made.mask.any()
    assert not made.slice_markers.any()
    assert not made.patient_markers.any()
    assert made.haematoma_volume_ml == 0


def test_growth_keeps_the_head_and_multiplies_the_clot(phantom: Phantom) -> None:
    later_spec = grow(phantom.spec, 1.4)
    later = make_phantom(later_spec)
    ratio = later.haematoma_volume_ml / phantom.haematoma_volume_ml
    assert ratio == pytest.approx(1.4, rel=0.06)
    assert later_spec.acquired_at > phantom.spec.acquired_at
    assert later_spec.head == phantom.spec.head
    assert later.volume.identity.patient_id == phantom.volume.identity.patient_id
    assert later.volume.identity.study_uid != phantom.volume.identity.study_uid
    assert not (phantom.mask & ~later.mask).sum() > 0.02 * phantom.mask.sum()
    far = ~later.mask
    far[:, 20:76, 20:76] = False
    change = later.volume.hu[far].astype(float) - phantom.volume.hu[far]
    assert np.median(np.abs(change)) < 8, "the head itself stays"


@pytest.mark.parametrize(("lesion", "factor"), [(None, 1.4), (LesionSpec(), 0.0)])
def test_growth_of_nothing_is_refused(lesion: LesionSpec | None, factor: float) -> None:
    with pytest.raises(VolumeError, match="growth"):
        grow(PhantomSpec(lesion=lesion), factor)


@pytest.mark.parametrize("tilt", [-15.0, 12.0])
def test_a_tilted_gantry_shears_the_slices(tilt: float) -> None:
    made = make_phantom(PhantomSpec(site=small_site(tilt_deg=tilt)))
    geometry = made.volume.geometry
    assert geometry.tilt_deg == pytest.approx(tilt)
    assert geometry.spacing_mm[0] == pytest.approx(8.0)


def test_tilt_moves_the_clot_in_the_picture_as_the_positions_say() -> None:
    lesion = LesionSpec(volume_ml=40)
    centres = []
    for tilt in (0.0, 18.0):
        made = make_phantom(PhantomSpec(lesion=lesion, site=small_site(tilt_deg=tilt)))
        geometry = made.volume.geometry
        index, row, column = np.nonzero(made.mask)
        dy, dx = geometry.pixel_spacing_mm
        where = (
            geometry.positions_mm[index]
            + row[:, None] * dy * geometry.column_direction
            + column[:, None] * dx * geometry.row_direction
        )
        centres.append(where.mean(axis=0))
    assert centres[0] == pytest.approx(centres[1], abs=2.5)


def test_sites_shift_the_picture() -> None:
    plain = make_phantom(PhantomSpec(lesion=None, site=small_site(noise_sd_hu=1.0)))
    shifted = make_phantom(
        PhantomSpec(lesion=None, site=small_site(noise_sd_hu=4.0, offset_hu=5.0))
    )
    window = (7, slice(36, 60), slice(36, 60))
    assert shifted.volume.hu[window].mean() - plain.volume.hu[window].mean() == pytest.approx(
        5, abs=1.0
    )
    assert shifted.volume.hu[window].std() > plain.volume.hu[window].std()


def test_atrophy_opens_the_fluid_spaces() -> None:
    share = []
    for atrophy in (0.0, 1.0):
        head = HeadSpec(atrophy=atrophy)
        made = make_phantom(PhantomSpec(head=head, lesion=None, site=small_site(noise_sd_hu=0.5)))
        inner = made.volume.hu[6:11, 30:70, 34:62]
        share.append(float(((inner > -5) & (inner < 16)).mean()))
    assert share[1] > 2 * share[0]


@pytest.mark.parametrize(
    ("build", "found"),
    [
        (lambda: LesionSpec(location="pons"), "location 'pons'"),
        (lambda: LesionSpec(side="middle"), "side 'middle'"),
        (lambda: LesionSpec(volume_ml=0.0), "0.0 mL"),
        (lambda: LesionSpec(lobes=40), "40 lobes"),
        (lambda: SiteSpec(matrix=8), "matrix of 8"),
        (lambda: SiteSpec(slices=0), "0 slices"),
        (lambda: SiteSpec(slice_thickness_mm=0.0), "0.0 mm"),
        (lambda: SiteSpec(field_of_view_mm=50.0), "50.0 mm"),
        (lambda: SiteSpec(tilt_deg=60.0), "60.0 degrees"),
        (lambda: SiteSpec(holder="tape"), "holder 'tape'"),
    ],
)
def test_impossible_specifications_are_refused(build: Callable[[], object], found: str) -> None:
    with pytest.raises(VolumeError, match=found):
        build()
