from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from hemx_core.data.cohort import (
    BLOCK,
    PhantomMaker,
    build_cohort,
    prepare_phantom,
    store,
    study_file,
)
from hemx_core.data.study import Study, load_study
from hemx_core.errors import DatasetError
from hemx_core.imaging.spec import PreprocessingSpec
from hemx_core.phantoms import SiteSpec, make_phantom

SMALL = PreprocessingSpec(size=64, pixel_mm=3.6)
SITES = tuple(SiteSpec(name=f"small-{i}", matrix=96, slices=12, slice_spacing_mm=10) for i in "ab")
SPEC = PhantomMaker(seed=4, preprocessing=SMALL, sites=SITES)


def test_cohort_is_built_resumed_and_enlarged_without_changing_what_exists(tmp_path: Path) -> None:
    told: list[tuple[str, int, int]] = []
    build_cohort(tmp_path, patients=1, seed=4, spec=SMALL, sites=SITES)
    first = study_file(tmp_path, 0)
    before = first.stat().st_mtime_ns
    cohort = build_cohort(
        tmp_path, patients=2, seed=4, spec=SMALL, sites=SITES,
        progress=lambda *what: told.append(what),
    )  # fmt: skip
    assert told == [("phantoms", 2, 2)]
    assert first.stat().st_mtime_ns == before
    patients = list(cohort.patients())
    assert [p.patient_id for p in patients] == ["PHANTOM-000000", "PHANTOM-000001"]
    assert [p.site for p in patients] == ["small-a", "small-b"]
    assert sum(len(cohort.patients(s)) for s in ("train", "validation", "test")) == 2
    assert not list(tmp_path.glob("*.tmp"))


def test_stored_patient_is_the_prepared_phantom(tmp_path: Path) -> None:
    store(tmp_path, SPEC, [3])
    stored = load_study(study_file(tmp_path, 3))
    phantom = make_phantom(SPEC.phantom(3))
    fresh = prepare_phantom(phantom, SPEC)
    fresh = replace(fresh, expanded=SPEC.expanded(3, fresh.patient_markers))
    for name in Study.__slots__:
        np.testing.assert_array_equal(getattr(stored, name), getattr(fresh, name))
    assert stored.image.shape == stored.mask.shape == (len(stored.slice_index), 64, 64)
    assert 0.3 < stored.image.max() <= 1
    native = np.flatnonzero(phantom.mask.any((1, 2)))
    assert set(native) <= set(stored.slice_index)
    np.testing.assert_array_equal(stored.slice_markers, phantom.slice_markers[stored.slice_index])
    found_mm2 = stored.mask.sum() * SMALL.pixel_mm**2
    true_mm2 = phantom.mask.sum() * phantom.volume.geometry.pixel_area_mm2
    assert found_mm2 == pytest.approx(true_mm2, rel=0.15)


@pytest.mark.parametrize(("blood_free", "expected"), [(0, 0), (2, 2), (None, None)])
def test_blood_free_slices_are_kept_as_asked(blood_free: int | None, expected: int | None) -> None:
    phantom = make_phantom(SPEC.phantom(0))
    patient = prepare_phantom(phantom, replace(SPEC, blood_free=blood_free))
    blood = phantom.mask.any((1, 2)).sum()
    kept = len(phantom.mask) - blood if expected is None else expected
    assert len(patient.image) == blood + kept


def test_split_is_by_patient_fixed_and_in_proportion() -> None:
    splits = [SPEC.split(number) for number in range(2 * BLOCK)]
    assert [splits.count(s) for s in ("train", "validation", "test")] == [28, 6, 6]
    assert splits == [replace(SPEC).split(number) for number in range(2 * BLOCK)]
    assert splits[:BLOCK] != splits[BLOCK:]


def test_twelve_sites_that_differ() -> None:
    sites = PhantomMaker(seed=1).sites
    assert len({site.name for site in sites}) == 12
    assert len({site.noise_sd_hu for site in sites}) == 12


def test_refuses_another_cohort_in_the_folder(tmp_path: Path) -> None:
    build_cohort(tmp_path, patients=0, seed=4, spec=SMALL, sites=SITES)
    with pytest.raises(DatasetError, match="another cohort"):
        build_cohort(tmp_path, patients=0, seed=5, spec=SMALL, sites=SITES)


def test_refuses_a_damaged_patient_and_an_unknown_split(tmp_path: Path) -> None:
    store(tmp_path, SPEC, [0])
    path = study_file(tmp_path, 0)
    path.write_bytes(path.read_bytes()[:2000])
    with pytest.raises(DatasetError, match="cannot be read"):
        load_study(path)
    cohort = build_cohort(tmp_path / "other", patients=0, seed=4, spec=SMALL, sites=SITES)
    with pytest.raises(DatasetError, match="val"):
        cohort.patients("val")


def test_expansion_follows_the_papers_rates() -> None:
    blend, none = np.array([0, 0, 1, 0], np.int8), np.zeros(4, np.int8)
    with_blend = np.mean([SPEC.expanded(number, blend) for number in range(2000)])
    without = np.mean([SPEC.expanded(number, none) for number in range(2000)])
    assert with_blend == pytest.approx(0.35, abs=0.04)
    assert without == pytest.approx(0.08, abs=0.03)
