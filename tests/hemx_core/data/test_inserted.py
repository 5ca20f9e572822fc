import os
from dataclasses import replace
from pathlib import Path

import cv2
import numpy as np
import pytest

from hemx_core.data import inserted as inserted_study
from hemx_core.data import phe_sich
from hemx_core.data.cohort import store, study_file
from hemx_core.data.inserted import (
    BLOCK,
    InsertedMaker,
    VirtualSite,
    build_inserted_cohort,
    draw_sites,
    image_at,
)
from hemx_core.data.real_background import boxed_slices, fit_mirror, read_background, yaw_of
from hemx_core.data.study import load_study
from hemx_core.errors import DatasetError
from hemx_core.imaging.spec import PreprocessingSpec
from hemx_core.phantoms.background import grain
from tests.hemx_core.phantoms.heads import plain_slice

NEUTRAL = VirtualSite(name="a", noise_sd_hu=0, sharpness=0, offset_hu=0, window_hu=(-20.0, 100.0))


@pytest.fixture
def hu():
    picture = np.full((64, 64), 30, np.int16)
    picture[:, :8], picture[:, 8:16], picture[:, 40:] = -20, 100, 55
    return picture


def _image(hu, **changes):
    noise = grain(np.random.default_rng(0), hu.shape, 0.45)
    return image_at(
        hu, replace(NEUTRAL, **changes), pixel_mm=0.45, window_hu=(-20, 100), noise=noise
    )


def test_a_neutral_site_changes_nothing(hu):
    changed, window = _image(hu)
    np.testing.assert_array_equal(changed, hu)
    assert window == (-20, 100)


def test_noise_and_offset_spare_bone_and_air(hu):
    changed, _ = _image(hu, noise_sd_hu=3.0, offset_hu=2.0)
    np.testing.assert_array_equal(changed[:, :16], hu[:, :16])
    assert changed[:, 20:36].mean() == pytest.approx(32, abs=0.8)
    assert changed[:, 20:36].std() == pytest.approx(3, rel=0.25)


def test_kernels_soften_and_sharpen_edges(hu):
    def steepest(sharpness):
        return np.abs(np.diff(_image(hu, sharpness=sharpness)[0][:, 30:50].astype(int))).max()

    assert steepest(-0.8) < 25 < steepest(0.5)


def test_the_window_is_what_site_and_source_share(hu):
    changed, window = _image(hu, window_hu=(0.0, 120.0))
    assert window == (0, 100)
    assert changed.min() == 0


def test_twelve_sites_that_differ_and_stay():
    sites = draw_sites(3)
    assert sites == draw_sites(3)
    assert len({site.name for site in sites}) == len({site.noise_sd_hu for site in sites}) == 12


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
    first = study_file(tmp_path, 0)
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
    maker = InsertedMaker(seed=2, preprocessing=SMALL, blood_free=3, source=source)
    store(tmp_path, maker, [4])
    (tmp_path / "again").mkdir()
    store(tmp_path / "again", maker, [4])
    study = load_study(study_file(tmp_path, 4))
    again = load_study(study_file(tmp_path / "again", 4))
    np.testing.assert_array_equal(study.image, again.image)
    real, inserted = maker.draw(4)
    kept = study.slice_index
    assert set(np.flatnonzero(inserted.touched)) <= set(kept)
    assert (~inserted.touched[kept]).sum() == 3
    assert real.free[kept[~inserted.touched[kept]]].all()
    np.testing.assert_array_equal(study.slice_markers, inserted.slice_markers[kept])
    assert study.patient_id == f"phe_sich-{real.patient}"
    assert study.site == maker.sites[4].name
    assert study.expanded in (0, 1)
    found_mm2 = study.mask.sum() * SMALL.pixel_mm**2
    assert found_mm2 == pytest.approx(inserted.mask.sum() * 0.45**2, rel=0.2)
    assert study.image[study.mask].mean() > study.image[study.image > 0.2].mean()


def test_splits_are_those_of_the_backgrounds_and_in_proportion(source):
    maker = InsertedMaker(seed=2, preprocessing=SMALL, source=source)
    names = [maker.split(number) for number in range(2 * BLOCK)]
    assert [names.count(s) for s in ("train", "validation", "test")] == [24, 8, 8]
    splits = phe_sich.split_patients(phe_sich.read_rows(source))
    used = [maker.backgrounds(number, splits) for number in range(2 * BLOCK)]
    assert all(set(one) == set(splits[name]) for one, name in zip(used, names, strict=True))
    tests = [one[0] for one, name in zip(used, names, strict=True) if name == "test"]
    assert len(set(tests)) == len(tests), "every background is used once before any twice"


def test_no_room_is_said(source, monkeypatch):
    monkeypatch.setattr(inserted_study, "_background", lambda source, patient: None)
    with pytest.raises(DatasetError, match="no background"):
        InsertedMaker(seed=2, preprocessing=SMALL, source=source).draw(0)


@pytest.mark.skipif(not os.environ.get("HEMX_DATA"), reason="HEMX_DATA is not set")
def test_real_backgrounds_stay_in_their_split(tmp_path):
    source = phe_sich.data_folder()
    maker = InsertedMaker(seed=1, source=source)
    store(tmp_path, maker, [1])
    study = load_study(study_file(tmp_path, 1))
    patient = study.patient_id.removeprefix("phe_sich-")
    splits = phe_sich.split_patients(phe_sich.read_rows(source))
    assert patient in splits[maker.split(1)]
    assert study.image.shape[1:] == (256, 256)
    assert study.image[study.mask].mean() > 0.5


def test_only_the_asked_splits_are_made(source, tmp_path):
    cohort = build_inserted_cohort(
        tmp_path, patients=12, seed=2, spec=SMALL, source_folder=source, splits=("test",)
    )
    made = {number for number in range(12) if study_file(tmp_path, number).exists()}
    assert made == {number for number in range(12) if cohort.maker.split(number) == "test"}
    assert 0 < len(made) < 12
    with pytest.raises(DatasetError, match="split"):
        build_inserted_cohort(
            tmp_path, patients=1, seed=2, spec=SMALL, source_folder=source, splits=("tests",)
        )
