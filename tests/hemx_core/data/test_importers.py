import json
import os
from pathlib import Path

import numpy as np
import pytest

from hemx_core.data import phe_sich
from hemx_core.data.check import check_dataset
from hemx_core.data.cohort import PhantomMaker, prepare_phantom
from hemx_core.data.dataset import open_dataset
from hemx_core.data.importers import GROWTH, PhantomSet, import_phe_sich, make_dataset, make_patient
from hemx_core.data.study import patient_truth
from hemx_core.data.tables import read_tables
from hemx_core.errors import DatasetError
from hemx_core.imaging.spec import HUWindow, PreprocessingSpec
from hemx_core.phantoms import make_phantom
from tests.factories import write_phe_sich
from tests.hemx_core.data.sets import GRID

SMALL = {"matrix": 96, "slices": 9}


def same_as_prepared(source_folder: Path, out: Path, spec: PreprocessingSpec) -> list[str]:
    """Compare every imported patient with phe_sich.prepare_patient; their ids."""
    rows = phe_sich.read_rows(source_folder)
    source = open_dataset(out, spec, out.parent / "cache")
    ids = []
    for study in source.patients():
        wanted = phe_sich.prepare_patient(source_folder, rows[study.patient_id], spec)
        # The data set keeps 255 grey steps, phe_sich half floats (2^-11 apart below 1).
        apart = np.abs(study.image.astype(np.float32) - wanted.image.astype(np.float32))
        assert apart.max() <= 0.5 / 255 + 2**-11
        np.testing.assert_array_equal(study.mask, wanted.mask)
        np.testing.assert_array_equal(study.known, wanted.known)
        ids.append(study.patient_id)
    return ids


def test_phe_sich_is_imported_as_it_is_prepared(tmp_path: Path) -> None:
    folder = write_phe_sich(tmp_path / "source", patients=34)
    (folder / "unsure" / "0003_01.png").write_bytes(
        (folder / "haematoma" / "0005_01.png").read_bytes()
    )
    told: list[tuple[str, int, int]] = []
    chosen = ["0000", "0003", "0005"]
    out = tmp_path / "out"
    import_phe_sich(folder, out, patients=chosen, progress=lambda *what: told.append(what))
    assert told[-1] == ("import", 3, 3)
    assert sorted(same_as_prepared(folder, out, GRID)) == chosen
    tables = read_tables(out)
    splits = phe_sich.split_patients(phe_sich.read_rows(folder))
    for patient in chosen:
        assert patient in splits[tables.patients[patient].split]
    assert tables.studies["0000"].mask == "none"
    assert tables.studies["0003"].ignore_mask
    assert tables.studies["0003"].clipped_to_hu == (-20, 100)
    assert tables.studies["0003"].spacing_assumed
    assert "non-commercial" in tables.info.licence
    ct = out / tables.studies["0003"].ct
    written = ct.stat().st_mtime_ns
    import_phe_sich(folder, out, patients=chosen)
    assert ct.stat().st_mtime_ns == written, "what is there is kept"


def test_phe_sich_refuses_what_it_cannot_import(tmp_path: Path) -> None:
    with pytest.raises(DatasetError, match=r"slices\.csv"):
        import_phe_sich(tmp_path, tmp_path / "out")
    folder = write_phe_sich(tmp_path / "source", patients=34)
    with pytest.raises(DatasetError, match="'9999'"):
        import_phe_sich(folder, tmp_path / "out", patients=["9999"])
    (tmp_path / "full").mkdir()
    (tmp_path / "full" / "notes.txt").write_text("mine")
    with pytest.raises(DatasetError, match="not empty"):
        import_phe_sich(folder, tmp_path / "full", patients=["0001"])
    table = (folder / "slices.csv").read_text()
    (folder / "slices.csv").write_text(table.replace("0001,2,40,120", "0001,2,40,80"))
    with pytest.raises(DatasetError, match="different windows"):
        import_phe_sich(folder, tmp_path / "out", patients=["0001"])


@pytest.mark.skipif(not os.environ.get("HEMX_DATA"), reason="HEMX_DATA is not set: no real CT")
def test_real_patients_are_imported_as_they_are_prepared(tmp_path: Path) -> None:
    folder = phe_sich.data_folder()
    splits = phe_sich.split_patients(phe_sich.read_rows(folder))
    chosen = sorted(found[0] for found in splits.values())
    import_phe_sich(folder, tmp_path / "out", patients=chosen)
    assert sorted(same_as_prepared(folder, tmp_path / "out", PreprocessingSpec())) == chosen
    assert check_dataset(tmp_path / "out").errors == 0


@pytest.mark.parametrize("dicom", [False, True])
def test_phantoms_are_those_of_the_cohort_with_the_same_seed(tmp_path: Path, dicom: bool) -> None:
    settings = PhantomSet(seed=4, sites=3, dicom=dicom, **SMALL)
    make_dataset(tmp_path / "set", settings, patients=1)
    (study,) = open_dataset(tmp_path / "set", GRID, tmp_path / "cache").patients()
    first = make_phantom(settings.cohort.phantom(0))
    window = HUWindow(*first.spec.site.window_hu)
    spec = PreprocessingSpec(size=GRID.size, pixel_mm=GRID.pixel_mm, window=window)
    wanted = prepare_phantom(first, PhantomMaker(preprocessing=spec, blood_free=None))
    np.testing.assert_array_equal(study.image, wanted.image)
    for name in ("mask", "known", "slice_markers", "patient_markers", "slice_index"):
        np.testing.assert_array_equal(getattr(study, name), getattr(wanted, name))
    assert (study.patient_id, study.site) == ("PHANTOM-000000", "site-01")
    assert study.location == wanted.location
    assert study.expanded == settings.cohort.expanded(0, patient_truth(first.slice_markers))
    assert study.haematoma_volume_ml == pytest.approx(wanted.haematoma_volume_ml, rel=1e-4)


def test_the_sites_and_patients_are_the_cohort_s() -> None:
    ours, cohort = PhantomSet(seed=7).cohort, PhantomMaker(seed=7)
    assert ours.sites == cohort.sites
    assert ours.phantom(5) == cohort.phantom(5)
    assert [ours.split(i) for i in range(20)] == [cohort.split(i) for i in range(20)]
    assert len(PhantomSet(sites=5).cohort.sites) == 5


def test_phantoms_are_resumed_and_enlarged(tmp_path: Path) -> None:
    settings = PhantomSet(seed=4, sites=2, **SMALL)
    make_dataset(tmp_path, settings, patients=1)
    ct = tmp_path / "studies" / "PHANTOM-000000-0.nii.gz"
    written = ct.stat().st_mtime_ns
    told: list[tuple[str, int, int]] = []
    make_dataset(tmp_path, settings, patients=2, progress=lambda *what: told.append(what))
    assert told == [("phantoms", 2, 2)]
    assert ct.stat().st_mtime_ns == written
    assert list(read_tables(tmp_path).patients) == ["PHANTOM-000000", "PHANTOM-000001"]
    make_dataset(tmp_path, settings, patients=1)
    assert len(read_tables(tmp_path).patients) == 2, "patients that are there stay"
    assert check_dataset(tmp_path).errors == 0
    assert not [path for path in tmp_path.rglob("*") if ".tmp" in path.name or path.name[0] == "."]
    with pytest.raises(DatasetError, match="other settings"):
        make_dataset(tmp_path, PhantomSet(seed=5, sites=2, **SMALL), patients=1)


def test_an_interrupted_patient_is_made_again(tmp_path: Path) -> None:
    settings = PhantomSet(seed=4, sites=2, **SMALL)
    make_dataset(tmp_path, settings, patients=1)
    truth = tmp_path / "truth" / "000000.json"
    whole, ct = truth.read_text(), (tmp_path / "studies" / "PHANTOM-000000-0.nii.gz")
    truth.unlink()
    ct.write_text("half")
    make_dataset(tmp_path, settings, patients=1)
    assert truth.read_text() == whole
    assert check_dataset(tmp_path).errors == 0


def test_follow_ups_grow_as_their_label_says(tmp_path: Path) -> None:
    settings = PhantomSet(seed=4, sites=2, follow_up=True, **SMALL)
    labels = {settings.cohort.expanded(i, np.zeros(4, np.int8)) for i in range(40)}
    assert labels == {0, 1}
    numbers = [
        next(
            i
            for i in range(200)
            if settings.cohort.expanded(
                i, patient_truth(make_phantom(settings.cohort.phantom(i)).slice_markers)
            )
            == label
        )
        for label in (0, 1)
    ]
    for number in numbers:
        make_patient(tmp_path, settings, number)
    make_dataset(tmp_path / "all", settings, patients=1)
    for number, label in zip(numbers, (0, 1), strict=True):
        truth = json.loads((tmp_path / "truth" / f"{number:06d}.json").read_text())
        assert truth["expanded"] == label
        before, after = (one["volume_ml"] for one in truth["studies"])
        low, high = GROWTH[label]
        assert low - 0.1 <= after / before <= high + 0.15
    early, late = open_dataset(tmp_path / "all", GRID, tmp_path / "cache").patients()
    tables = read_tables(tmp_path / "all")
    first, second = tables.studies_of("PHANTOM-000000")
    assert first.acquired_at is not None
    assert second.acquired_at is not None
    hours = (second.acquired_at - first.acquired_at).total_seconds() / 3600
    assert 6 <= hours <= 36
    assert (early.expanded >= 0, late.expanded) == (True, -1)
    assert late.haematoma_volume_ml > 0.9 * early.haematoma_volume_ml
    assert (late.patient_markers >= 0).any()
