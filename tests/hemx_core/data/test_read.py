from dataclasses import replace
from pathlib import Path

import cv2
import highdicom as hd
import numpy as np
import pytest
from pydicom import dcmread
from pydicom.sr.codedict import codes
from pydicom.uid import generate_uid

from hemx_core.data.read import read_mask
from hemx_core.errors import DatasetError
from hemx_core.imaging.nifti import write_array
from hemx_core.imaging.reader import read_series
from hemx_core.imaging.volume import HUVolume, StoredGrid, VolumeGeometry
from hemx_core.phantoms import write_dicom_series
from tests.hemx_core.data.sets import phantom

VOLUME, MASK = phantom().volume, phantom().mask


def shifted(geometry: VolumeGeometry, **change: object) -> VolumeGeometry:
    return replace(geometry, **change)  # type: ignore[arg-type]


def write_pictures(folder: Path, mask: np.ndarray) -> Path:
    folder.mkdir()
    for index in np.flatnonzero(mask.any((1, 2))):
        cv2.imwrite(str(folder / f"case_7_{index:02d}.png"), mask[index].astype(np.uint8) * 255)
    return folder


def describe(number: int, label: str) -> hd.seg.SegmentDescription:
    return hd.seg.SegmentDescription(
        segment_number=number,
        segment_label=label,
        segmented_property_category=codes.SCT.MorphologicallyAbnormalStructure,
        segmented_property_type=codes.SCT.Hemorrhage,
        algorithm_type=hd.seg.SegmentAlgorithmTypeValues.MANUAL,
    )


def write_seg(
    path: Path,
    images: list,
    frames: np.ndarray,
    labels: tuple[str, ...] = ("clot",),
    kind: str = "BINARY",
) -> Path:
    """`frames`: (slices, rows, columns) in the order of `images`, or with segments as a last axis."""
    hd.seg.Segmentation(
        source_images=images,
        pixel_array=frames,
        segmentation_type=hd.seg.SegmentationTypeValues[kind],
        segment_descriptions=[describe(i, label) for i, label in enumerate(labels, 1)],
        series_instance_uid=generate_uid(),
        series_number=9,
        sop_instance_uid=generate_uid(),
        instance_number=1,
        manufacturer="tests",
        manufacturer_model_name="tests",
        software_versions="1",
        device_serial_number="1",
    ).save_as(path)
    return path


@pytest.fixture(scope="module")
def series(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("series")
    write_dicom_series(VOLUME, folder)
    return folder


@pytest.fixture(scope="module")
def images(series: Path) -> list:
    return [dcmread(path) for path in sorted(series.iterdir())]


def test_nifti_masks_come_back_on_their_voxels(tmp_path: Path) -> None:
    write_array(tmp_path / "m.nii.gz", MASK, VOLUME.geometry)
    np.testing.assert_array_equal(read_mask(tmp_path / "m.nii.gz", VOLUME), MASK)


def test_a_label_map_needs_the_label_that_is_meant(tmp_path: Path) -> None:
    labels = MASK.astype(np.int16)
    labels[0, :3] = 2
    write_array(tmp_path / "m.nii", labels, VOLUME.geometry)
    with pytest.raises(DatasetError, match="mask_segment"):
        read_mask(tmp_path / "m.nii", VOLUME)
    np.testing.assert_array_equal(read_mask(tmp_path / "m.nii", VOLUME, segment="1"), labels == 1)
    with pytest.raises(DatasetError, match="no label 'clot'"):
        read_mask(tmp_path / "m.nii", VOLUME, segment="clot")


@pytest.mark.parametrize(
    ("change", "told"),
    [
        ({"positions_mm": VOLUME.geometry.positions_mm + np.array([0, 0, 10.0])}, "10.0 mm away"),
        ({"pixel_spacing_mm": (1.0, 1.0)}, "spacing"),
        ({"column_direction": np.array([0.0, 1.0, 0.0])}, "turned|away|spacing"),
    ],
)
def test_a_mask_of_another_place_is_refused(tmp_path: Path, change: dict, told: str) -> None:
    write_array(tmp_path / "m.nii", MASK, shifted(VOLUME.geometry, **change))
    with pytest.raises(DatasetError, match=told):
        read_mask(tmp_path / "m.nii", VOLUME)


def test_a_mask_of_another_shape_is_refused(tmp_path: Path) -> None:
    write_array(tmp_path / "m.nii", MASK[:, :-1], VOLUME.geometry)
    with pytest.raises(DatasetError, match="shape"):
        read_mask(tmp_path / "m.nii", VOLUME)


def test_pictures_are_placed_by_the_number_in_their_name(tmp_path: Path) -> None:
    folder = write_pictures(tmp_path / "png", MASK)
    np.testing.assert_array_equal(read_mask(folder, VOLUME), MASK)


@pytest.mark.parametrize(
    ("name", "size", "told"),
    [
        ("other_99.png", 96, "names no slice"),
        ("clot.png", 96, "names no slice"),
        ("other_00.png", 50, "shape"),
        ("b_03.png", 96, "again"),
    ],
)
def test_pictures_that_fit_no_slice_are_refused(
    tmp_path: Path, name: str, size: int, told: str
) -> None:
    folder = write_pictures(tmp_path / "png", MASK)
    cv2.imwrite(str(folder / name), np.zeros((size, size), np.uint8))
    cv2.imwrite(str(folder / "a_03.png"), np.zeros((96, 96), np.uint8))
    for old in folder.glob("case_7_03.png"):
        old.unlink()
    with pytest.raises(DatasetError, match=told):
        read_mask(folder, VOLUME)


def test_a_folder_without_pictures_is_no_empty_mask(tmp_path: Path) -> None:
    with pytest.raises(DatasetError, match="no PNG"):
        read_mask(tmp_path, VOLUME)


def test_seg_frames_find_their_slices_whatever_their_order(
    tmp_path: Path, series: Path, images: list
) -> None:
    order = np.random.default_rng(1).permutation(len(images))
    path = write_seg(tmp_path / "seg.dcm", [images[i] for i in order], MASK[order])
    np.testing.assert_array_equal(read_mask(path, read_series(series)), MASK)


def test_seg_without_source_uids_is_placed_by_position(
    tmp_path: Path, series: Path, images: list
) -> None:
    seg = dcmread(write_seg(tmp_path / "seg.dcm", images, MASK))
    for frame in seg.PerFrameFunctionalGroupsSequence:
        if "DerivationImageSequence" in frame:
            del frame.DerivationImageSequence
    seg.save_as(tmp_path / "bare.dcm")
    volume = read_series(series)
    np.testing.assert_array_equal(read_mask(tmp_path / "bare.dcm", volume), MASK)
    moved = replace(
        volume,
        geometry=shifted(volume.geometry, positions_mm=volume.geometry.positions_mm + 2.0),
        identity=replace(volume.identity, sop_instance_uids=()),
    )
    with pytest.raises(DatasetError, match="lies on no slice"):
        read_mask(tmp_path / "bare.dcm", moved)


def test_seg_of_a_series_stored_upside_down(tmp_path: Path) -> None:
    """Stored rows run from back to front: the reader turns the CT, and the mask with it."""
    turned = StoredGrid(flip_rows=True, flip_columns=True)
    geometry, (dy, dx) = VOLUME.geometry, VOLUME.geometry.pixel_spacing_mm
    far = geometry.row_direction * dx * 95 + geometry.column_direction * dy * 95
    stored = VolumeGeometry(
        positions_mm=geometry.positions_mm + far,
        row_direction=-geometry.row_direction,
        column_direction=-geometry.column_direction,
        pixel_spacing_mm=(dy, dx),
        slice_thickness_mm=geometry.slice_thickness_mm,
    )
    write_dicom_series(HUVolume(hu=turned.to_stored(VOLUME.hu), geometry=stored), tmp_path / "ct")
    images = [dcmread(path) for path in sorted((tmp_path / "ct").iterdir())]
    path = write_seg(tmp_path / "seg.dcm", images, np.ascontiguousarray(turned.to_stored(MASK)))
    volume = read_series(tmp_path / "ct")
    assert volume.stored_grid == turned
    np.testing.assert_array_equal(read_mask(path, volume), MASK)
    seg = dcmread(path)
    for frame in seg.PerFrameFunctionalGroupsSequence:
        del frame.DerivationImageSequence
    seg.save_as(tmp_path / "bare.dcm")
    np.testing.assert_array_equal(read_mask(tmp_path / "bare.dcm", volume), MASK)
    # The same frames on a CT that is not turned would lie upside down.
    with pytest.raises(DatasetError, match="turned against"):
        read_mask(path, replace(volume, stored_grid=StoredGrid()))


@pytest.mark.parametrize("kind", ["BINARY", "LABELMAP"])
def test_seg_with_several_segments_needs_a_choice(
    tmp_path: Path, series: Path, images: list, kind: str
) -> None:
    oedema = np.roll(MASK, 9, axis=2) & ~MASK
    frames = np.stack([MASK, oedema], axis=-1).astype(np.uint8)
    path = write_seg(tmp_path / "seg.dcm", images, frames, ("clot", "oedema"), kind)
    volume = read_series(series)
    np.testing.assert_array_equal(read_mask(path, volume, segment="clot"), MASK)
    np.testing.assert_array_equal(read_mask(path, volume, segment="2"), oedema)
    for wrong in ("", "3", "skull"):
        with pytest.raises(DatasetError, match=r"'clot'.*'oedema'"):
            read_mask(path, volume, segment=wrong)


def test_fractional_seg_is_cut_at_one_half(tmp_path: Path, series: Path, images: list) -> None:
    share = np.where(MASK, 0.8, 0.2).astype(np.float32)
    path = write_seg(tmp_path / "seg.dcm", images, share, kind="FRACTIONAL")
    np.testing.assert_array_equal(read_mask(path, read_series(series)), MASK)


def test_what_is_no_mask_is_refused(tmp_path: Path, series: Path, images: list) -> None:
    (tmp_path / "text.dcm").write_text("no DICOM")
    volume = read_series(series)
    with pytest.raises(DatasetError, match=r"text\.dcm cannot be read"):
        read_mask(tmp_path / "text.dcm", volume)
    with pytest.raises(DatasetError, match="not a segmentation"):
        read_mask(next(series.iterdir()), volume)
    seg = write_seg(tmp_path / "seg.dcm", images, MASK)
    smaller = HUVolume(hu=volume.hu[:, :50, :50], geometry=volume.geometry)
    with pytest.raises(DatasetError, match="frames of"):
        read_mask(seg, smaller)


def test_a_damaged_seg_is_told(tmp_path: Path, images: list) -> None:
    path = write_seg(tmp_path / "seg.dcm", images, MASK)
    content = path.read_bytes()
    seg = dcmread(path)
    del seg.SegmentSequence[0].SegmentNumber
    seg.save_as(path)
    with pytest.raises(DatasetError, match="damaged"):
        read_mask(path, VOLUME)
    for kept in (0.3, 0.6, 0.9):
        path.write_bytes(content[: int(len(content) * kept)])
        with pytest.raises(DatasetError):
            read_mask(path, VOLUME)


def test_a_damaged_packed_nifti_is_told(tmp_path: Path) -> None:
    path = tmp_path / "m.nii.gz"
    write_array(path, MASK, VOLUME.geometry)
    content = bytearray(path.read_bytes())
    content[30:60] = bytes(30)
    path.write_bytes(content)
    with pytest.raises(DatasetError, match="cannot be read"):
        read_mask(path, VOLUME)
