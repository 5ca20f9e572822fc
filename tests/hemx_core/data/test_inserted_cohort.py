import os
from pathlib import Path

import cv2
import numpy as np
import pytest

from hemx_core.data import inserted_study, phe_sich
from hemx_core.data.cohort_folder import patient_file
from hemx_core.data.inserted_cohort import build_inserted_cohort, make_study
from hemx_core.data.inserted_study import BLOCK, InsertedSpec, draw_inserted
from hemx_core.data.real_background import boxed_slices, fit_mirror, read_background, yaw_of
from hemx_core.data.study import load_study
from hemx_core.errors import DatasetError
from hemx_core.imaging.spec import PreprocessingSpec
from tests.hemx_core.phantom.heads import plain_slice

SMALL = PreprocessingSpec(size=64, pixel_mm=3.6)
PATIENTS, SLICES, BLED = 34, 20, (7, 8, 9)


@pytest.fixture(scope="module")
def source(tmp_path_factory) -> Path:
    """Heads with a bright block to the right of the midline on three slices, as phe_sich stores them."""
    folder = tmp_path_factory.mktemp("phe_sich")
    for name in ("images", "haematoma", "oedema", "unsure"):
        (folder / name).mkdir()
    lines = ["patient,slice,window_level,window_width,boxed,haematoma_px,oedema_px,unsure_px"]
    plain = plain_slice(matrix=512, pixel_mm=0.45, yaw_deg=6)
    bled, mask = plain.copy(), np.zeros(plain.shape, np.uint8)
    mask[240:280, 330:370] = 255
    bled[mask > 0] = 60
    pictures = []
    for hu in (plain, bled):
        grey = np.rint((hu.astype(np.float32) + 20) * 255 / 120).astype(np.uint8)
        pictures.append(cv2.imencode(".png", grey)[1].tobytes())
    drawn = cv2.imencode(".png", mask)[1].tobytes()
    for number in range(PATIENTS):
        for index in range(SLICES):
            name = f"{number:04d}_{index:02d}.png"
            blood = index in BLED and number > 0
            (folder / "images" / name).write_bytes(pictures[blood])
            if blood:
                (folder / "haematoma" / name).write_bytes(drawn)
            lines.append(f"{number:04d},{index},40,120,{int(blood)},{1600 * blood},0,0")
    (folder / "slices.csv").write_text("\n".join(lines) + "\n")
    return folder


def test_the_mirror_finds_the_midline(source):
    mirror = fit_mirror(plain_slice(matrix=512, pixel_mm=0.45, yaw_deg=-12), window=(-20, 100))
    assert mirror @ (255.5, 255.5, 1) == pytest.approx((255.5, 255.5), abs=1)
    assert np.rad2deg(yaw_of(mirror)) == pytest.approx(-12, abs=1.5)


def test_the_lesion_is_covered_and_its_slices_never_count_as_free(source):
    rows = phe_sich.read_rows(source)["0003"]
    real = read_background(source, rows, boxed_slices(source))
    assert real is not None
    block = real.background.hu[8, 240:280, 330:370]
    assert block.mean() == pytest.approx(30, abs=1.5)
    assert 1.5 < block.std() < 3.5, "the patch has the brain's noise"
    assert real.background.usable[list(BLED)].all()
    assert not real.free[[6, 7, 8, 9, 10]].any()
    assert real.free[[0, 5, 11]].all()


def test_a_lesion_over_the_midline_is_not_covered(source, tmp_path):
    for name in ("images", "haematoma", "unsure"):
        (tmp_path / name).mkdir()
    mask = np.zeros((512, 512), np.uint8)
    mask[240:280, 220:290] = 255
    rows = phe_sich.read_rows(source)["0003"]
    for row in rows:
        name = f"{row.patient}_{row.index:02d}.png"
        (tmp_path / "images" / name).write_bytes((source / "images" / name).read_bytes())
        if row.index in BLED:
            cv2.imwrite(str(tmp_path / "haematoma" / name), mask)
    real = read_background(tmp_path, rows, boxed_slices(source))
    assert real is not None
    assert not real.background.usable[list(BLED)].any()
    assert real.background.usable[[6, 10]].all()


def test_cohort_is_built_resumed_and_stays(source, tmp_path):
    told: list[tuple[str, int, int]] = []
    build_inserted_cohort(tmp_path, patients=1, seed=2, spec=SMALL, source_folder=source)
    first = patient_file(tmp_path, 0)
    before = first.stat().st_mtime_ns
    cohort = build_inserted_cohort(
        tmp_path, patients=2, seed=2, spec=SMALL, source_folder=source,
        progress=lambda *what: told.append(what),
    )  # fmt: skip
    assert told == [("inserted", 2, 2)]
    assert first.stat().st_mtime_ns == before
    assert sum(len(cohort.patients(s)) for s in ("train", "validation", "test")) == 2
    assert "non-commercial" in cohort.description["licence"]
    assert "Ma et al. 2023" in cohort.description["attribution"]
    assert not list(tmp_path.glob("*.tmp"))
    with pytest.raises(DatasetError, match="another cohort"):
        build_inserted_cohort(tmp_path, patients=2, seed=3, spec=SMALL, source_folder=source)


def test_a_study_holds_the_drawn_clot_and_free_slices(source, tmp_path):
    spec = InsertedSpec(seed=2, preprocessing=SMALL, blood_free=3)
    make_study(tmp_path, spec, source, 4)
    (tmp_path / "again").mkdir()
    make_study(tmp_path / "again", spec, source, 4)
    study = load_study(patient_file(tmp_path, 4))
    again = load_study(patient_file(tmp_path / "again", 4))
    np.testing.assert_array_equal(study.image, again.image)
    real, inserted = draw_inserted(spec, source, 4)
    kept = study.slice_index
    assert set(np.flatnonzero(inserted.touched)) <= set(kept)
    assert (~inserted.touched[kept]).sum() == 3
    assert real.free[kept[~inserted.touched[kept]]].all()
    np.testing.assert_array_equal(study.slice_markers, inserted.slice_markers[kept])
    assert study.patient_id == f"phe_sich-{real.patient}"
    assert study.site == spec.sites[4].name
    assert study.expanded in (0, 1)
    found_mm2 = study.mask.sum() * SMALL.pixel_mm**2
    assert found_mm2 == pytest.approx(inserted.mask.sum() * 0.45**2, rel=0.2)
    assert study.image[study.mask].mean() > study.image[study.image > 0.2].mean()


def test_splits_are_those_of_the_backgrounds_and_in_proportion(source):
    spec = InsertedSpec(seed=2, preprocessing=SMALL)
    names = [spec.split(number) for number in range(2 * BLOCK)]
    assert [names.count(s) for s in ("train", "validation", "test")] == [24, 8, 8]
    splits = phe_sich.split_patients(phe_sich.read_rows(source))
    used = [spec.backgrounds(number, splits) for number in range(2 * BLOCK)]
    assert all(set(one) == set(splits[name]) for one, name in zip(used, names, strict=True))
    tests = [one[0] for one, name in zip(used, names, strict=True) if name == "test"]
    assert len(set(tests)) == len(tests), "every background is used once before any twice"


def test_no_room_is_said(source, monkeypatch):
    monkeypatch.setattr(inserted_study, "_background", lambda source, patient: None)
    with pytest.raises(DatasetError, match="no background"):
        draw_inserted(InsertedSpec(seed=2, preprocessing=SMALL), source, 0)


@pytest.mark.skipif(not os.environ.get("HEMX_DATA"), reason="HEMX_DATA is not set")
def test_real_backgrounds_stay_in_their_split(tmp_path):
    source = phe_sich.data_folder()
    spec = InsertedSpec(seed=1)
    make_study(tmp_path, spec, source, 1)
    study = load_study(patient_file(tmp_path, 1))
    patient = study.patient_id.removeprefix("phe_sich-")
    splits = phe_sich.split_patients(phe_sich.read_rows(source))
    assert patient in splits[spec.split(1)]
    assert study.image.shape[1:] == (256, 256)
    assert study.image[study.mask].mean() > 0.5


def test_only_the_asked_splits_are_made(source, tmp_path):
    cohort = build_inserted_cohort(
        tmp_path, patients=12, seed=2, spec=SMALL, source_folder=source, splits=("test",)
    )
    made = {number for number in range(12) if patient_file(tmp_path, number).exists()}
    assert made == {number for number in range(12) if cohort.spec.split(number) == "test"}
    assert 0 < len(made) < 12
    with pytest.raises(DatasetError, match="split"):
        build_inserted_cohort(
            tmp_path, patients=1, seed=2, spec=SMALL, source_folder=source, splits=("tests",)
        )
