from dataclasses import replace
from pathlib import Path

import cv2
import numpy as np
import pytest

from hemx_core.data import phe_sich
from hemx_core.data.cohort import Cohort, store, study_file
from hemx_core.data.lesion_drawing import draw_lesion
from hemx_core.data.lesion_material import blood_slices, brain_noise, read_material
from hemx_core.data.real_lesions import (
    BLOCK,
    RealLesionMaker,
    _material,
    patient_folds,
)
from hemx_core.data.sources import REAL_LESIONS, Asked, open_sources
from hemx_core.data.study import load_study
from hemx_core.errors import DatasetError
from hemx_core.imaging.spec import PreprocessingSpec
from hemx_core.phantoms.resynthesis import Rates
from tests.hemx_core.phantoms.heads import plain_slice

SPEC = PreprocessingSpec()
PATIENTS, SLICES, BLED = 38, 13, (2, 3, 4, 5)


@pytest.fixture(scope="module")
def source(tmp_path_factory) -> Path:
    """Noisy heads with an ellipsoid of 62 HU on four slices, in the layout of phe_sich."""
    folder = tmp_path_factory.mktemp("phe_sich")
    for name in ("images", "haematoma", "oedema", "unsure"):
        (folder / name).mkdir()
    lines = ["patient,slice,window_level,window_width,boxed,haematoma_px,oedema_px,unsure_px"]
    pictures: dict[int, bytes] = {}
    masks: dict[int, tuple[bytes, int]] = {}
    for index in range(SLICES):
        hu = plain_slice(matrix=512, pixel_mm=0.45, seed=index).astype(np.float32)
        if index in BLED:
            mask = np.zeros(hu.shape, np.uint8)
            radius = {2: 24, 3: 34, 4: 34, 5: 22}[index]
            cv2.ellipse(mask, ((350, 262), (2 * radius, 2.4 * radius), 10), 255, -1)
            noise = plain_slice(matrix=512, pixel_mm=0.45, seed=50 + index) - 30
            hu[mask > 0] = 62 + 1.4 * np.clip(noise, -9, 9)[mask > 0]
            masks[index] = (cv2.imencode(".png", mask)[1].tobytes(), int((mask > 0).sum()))
        grey = np.rint((hu + 20) * 255 / 120).astype(np.uint8)
        pictures[index] = cv2.imencode(".png", grey)[1].tobytes()
    for number in range(PATIENTS):
        for index in range(SLICES):
            name = f"{number:04d}_{index:02d}.png"
            # Patient 0 never bled: slices of others without blood stand in.
            blood = index in BLED and number > 0
            (folder / "images" / name).write_bytes(pictures[index if blood else index % 2 + 7])
            if blood:
                (folder / "haematoma" / name).write_bytes(masks[index][0])
            pixels = masks[index][1] if blood else 0
            lines.append(f"{number:04d},{index},40,120,{int(blood)},{pixels},0,0")
    (folder / "slices.csv").write_text("\n".join(lines) + "\n")
    return folder


@pytest.fixture(scope="module")
def material(source):
    splits = phe_sich.split_patients(phe_sich.read_rows(source))
    return read_material(source, splits["train"], SPEC)


def test_material_is_outline_texture_and_background_of_the_patients_asked_for(source, material):
    splits = phe_sich.split_patients(phe_sich.read_rows(source))
    bled = [patient for patient in splits["train"] if patient != "0000"]
    assert [donor.patient for donor in material.donors] == bled
    assert [grain.patient for grain in material.grains] == bled
    donor = material.donors[0]
    assert len(donor.distance) == len(BLED)
    assert (donor.row, donor.column) == pytest.approx((131, 175), abs=6)
    assert donor.area_px == pytest.approx(np.pi * 34 * 40.8 / 4, rel=0.05)
    assert material.grains[0].mean_hu == pytest.approx(62, abs=1)
    assert 1.5 < material.grains[0].sd_hu < 4
    ground = material.grounds[0]
    assert ground.side == 1
    assert ground.never_bled.any()
    assert not ground.never_bled[np.isin(ground.number, BLED)].any()
    assert not material.of([]).donors


def test_in_its_own_slices_the_blood_is_gone_and_all_else_is_real(source, material):
    donor, ground = material.own[0]
    rows = phe_sich.read_rows(source)[donor.patient]
    slices = blood_slices(source, rows, SPEC)
    for one, grey in zip(slices, ground.image, strict=True):
        filled = grey.astype(np.float32) * 80 / 255
        wide = cv2.dilate(one.mask.astype(np.uint8), np.ones((5, 5), np.uint8)) > 0
        np.testing.assert_allclose(filled[~wide], one.hu[~wide], atol=0.2)
        assert filled[one.mask].mean() == pytest.approx(30, abs=3)
        assert brain_noise(filled, ~wide) == pytest.approx(brain_noise(one.hu, one.mask), rel=0.5)


def test_a_drawing_follows_its_seed_and_its_labels_its_picture(material):
    rates = Rates(fluid=0.5, blend=0.3)
    first, again = (
        draw_lesion(np.random.default_rng(6), material, pixel_mm=0.9, rates=rates) for _ in "ab"
    )
    np.testing.assert_array_equal(first.hu, again.hu)
    np.testing.assert_array_equal(first.markers, again.markers)
    levels = 0
    for seed in range(24):
        drawn = draw_lesion(np.random.default_rng(seed), material, pixel_mm=0.9, rates=rates)
        assert drawn.hu.min() >= 0
        assert drawn.hu.max() <= 80
        assert drawn.known[drawn.mask].all()
        for hu, mask, marks in zip(drawn.hu, drawn.mask, drawn.markers, strict=True):
            area = mask.sum() * 0.81
            assert area >= 60 or (marks == -1).all()
            if marks[3] == 1:
                levels += 1
                rows = np.broadcast_to(np.arange(256)[:, None], mask.shape)[mask]
                upper = rows < np.quantile(rows, 0.25)
                assert hu[mask][~upper].max() > hu[mask][upper].mean() + 8
                assert np.corrcoef(rows, hu[mask])[0, 1] > 0.3, "what has settled lies at the back"
    assert levels > 3


def test_noise_and_brain_are_those_of_the_background(material):
    drawn = draw_lesion(np.random.default_rng(3), material, pixel_mm=0.9)
    for hu, mask, place in zip(drawn.hu, drawn.mask, drawn.index, strict=True):
        before = drawn.ground.image[place].astype(np.float32) * 80 / 255
        away = cv2.dilate(mask.astype(np.uint8), np.ones((61, 61), np.uint8)) == 0
        near = (cv2.dilate(mask.astype(np.uint8), np.ones((31, 31), np.uint8)) > 0) & ~mask
        assert np.abs(hu[away] - before[away]).mean() < 1.0
        brain = near & (before > 20) & (before < 40) & (hu > 20) & (hu < 40)
        assert hu[brain].std() == pytest.approx(before[brain].std(), rel=0.35)
        assert hu[mask].mean() > before[brain].mean() + 15


def test_blood_in_ventricles_is_left_open_and_reaches_beyond_the_square(material):
    rates = Rates(ventricles=1.0)
    opened = 0
    for seed in range(6):
        drawn = draw_lesion(np.random.default_rng(seed), material, pixel_mm=0.9, rates=rates)
        beside = ~drawn.known
        opened += int(beside.sum())
        if beside.any():
            before = drawn.ground.image[drawn.index] * np.float32(80 / 255)
            assert drawn.hu[beside].mean() > before[beside].mean() + 8
        assert not (beside & drawn.mask).any()
    assert opened > 50


def test_without_room_it_is_said(material, monkeypatch):
    grounds = tuple(replace(one, depth=one.depth * 0) for one in material.grounds)
    monkeypatch.setattr("hemx_core.data.lesion_drawing.IN_PLACE", 0.0)
    with pytest.raises(DatasetError, match="no haematoma fits"):
        draw_lesion(np.random.default_rng(0), replace(material, grounds=grounds), pixel_mm=0.9)


@pytest.fixture
def read(material, monkeypatch):
    """Material that is read already, whoever is asked for."""
    monkeypatch.setattr("hemx_core.data.real_lesions.read_material", lambda *_: material)
    _material.cache_clear()
    yield
    _material.cache_clear()


@pytest.mark.usefixtures("read")
def test_a_study_can_be_made_again_and_holds_slices_without_blood(source, tmp_path):
    maker = RealLesionMaker(seed=2, blood_free=1, source=source)
    number = next(i for i in range(BLOCK) if maker.split(i) == "train")
    store(tmp_path, maker, [number])
    study = load_study(study_file(tmp_path, number))
    np.testing.assert_array_equal(study.image, maker.make(number).image)
    assert study.patient_id.removeprefix("phe_sich-") in maker.sources(number)
    assert (np.diff(study.slice_index) >= 0).all()
    assert study.image.shape[1:] == (256, 256)
    assert (study.slice_markers[~study.with_blood] == 0).all()
    assert study.haematoma_volume_ml == pytest.approx(study.mask.sum() * 0.81 * 5 / 1000)
    assert maker.made_from() == RealLesionMaker(seed=2, blood_free=1, source=source).made_from()
    assert maker.made_from() != replace(maker, seed=3).made_from()


def test_studies_of_a_split_come_of_its_patients_and_a_fold_is_left_out(source):
    splits = phe_sich.split_patients(phe_sich.read_rows(source))
    maker = RealLesionMaker(seed=1, source=source)
    names = [maker.split(number) for number in range(BLOCK)]
    assert [names.count(name) for name in ("train", "validation", "test")] == [14, 3, 3]
    for number, name in enumerate(names):
        assert maker.sources(number) == tuple(splits[name])
    for which in range(3):
        fold = phe_sich.Fold(which, 3)
        parts = phe_sich.split_by_fold(phe_sich.read_rows(source), fold)
        folded = replace(maker, fold=fold)
        for number, name in enumerate(names):
            assert folded.sources(number) == tuple(parts[name])
        assert not set(parts["train"]) & set(parts["validation"])


def test_too_few_patients_for_folds_are_refused():
    with pytest.raises(DatasetError, match="folds"):
        patient_folds(["a", "b", "c"], 2)
    with pytest.raises(DatasetError, match="folds"):
        patient_folds(["a", "b"], 3)


def test_training_takes_real_lesions_where_it_is_asked_to(source, tmp_path, monkeypatch):
    (tmp_path / "phe_sich").symlink_to(source)
    monkeypatch.setenv("HEMX_DATA", str(tmp_path))
    built: list[tuple[Path, RealLesionMaker, int]] = []

    def build(folder, maker, *, patients, **_):
        built.append((folder, maker, patients))
        return Cohort(folder, maker, patients)

    monkeypatch.setattr("hemx_core.data.real_lesions.build", build)
    asked = Asked(lesions="real", fold="1/5", inserted_folder=tmp_path / "cohort")
    found = open_sources(asked, SPEC)
    assert found is not None
    assert found.description["name"] == "haematomas resynthesised from real ones"
    assert "non-commercial" in found.description["licence"]
    assert "Ma et al. 2023" in found.description["attribution"]
    [(folder, maker, patients)] = built
    assert (folder, patients, maker.fold) == (
        tmp_path / "cohort",
        REAL_LESIONS,
        phe_sich.Fold(1, 5),
    )
    open_sources(replace(asked, inserted=7, fold=""), SPEC)
    assert built[1][2] == 7
    assert built[1][1].fold is None


def test_other_lesions_are_refused():
    with pytest.raises(DatasetError, match="lesions"):
        Asked(lesions="painted")  # type: ignore[arg-type]
