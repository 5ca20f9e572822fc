"""Stored values to HU: rescale, packing, padding, photometric interpretation, compression."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pydicom
import pytest
from numpy.typing import NDArray
from pydicom.data import get_testdata_file
from pydicom.dataset import Dataset
from pydicom.encaps import encapsulate
from pydicom.pixels.decoders import JPEG2000LosslessDecoder
from pydicom.uid import (
    MPEG2MPML,
    DeflatedExplicitVRLittleEndian,
    ExplicitVRBigEndian,
    ImplicitVRLittleEndian,
    RLELossless,
)

from hemx_core.errors import TooFewSlicesError, UnreadablePixelsError
from hemx_core.imaging.reader import read_series
from hemx_core.imaging.volume import AIR_HU, HUVolume
from hemx_core.words import tell
from tests.factories import ct_pixels, write_ct_series


def note(volume: HUVolume, code: str) -> str:
    """The message of a note, empty where there is none."""
    return next((tell(one) for one in volume.notes if one.code == code), "")


def stored(values: NDArray[np.integer], dataset: Dataset) -> None:
    """Put stored values into a data set as they are."""
    dataset.PixelData = values.tobytes()


@pytest.mark.parametrize("signed", [False, True])
@pytest.mark.parametrize("syntax", [None, ImplicitVRLittleEndian, ExplicitVRBigEndian])
def test_hu_are_the_same_for_every_uncompressed_syntax(
    tmp_path: Path, signed: bool, syntax: pydicom.uid.UID | None
) -> None:
    options = {} if syntax is None else {"syntax": syntax}
    write_ct_series(tmp_path, signed=signed, **options)  # type: ignore[arg-type]
    np.testing.assert_array_equal(read_series(tmp_path).hu, ct_pixels())


def test_rescale_is_that_of_each_slice(tmp_path: Path) -> None:
    def rescale(index: int, dataset: Dataset) -> None:
        dataset.RescaleSlope, dataset.RescaleIntercept = index + 1, 10 * index
        stored(np.full((16, 16), index, dtype=np.uint16), dataset)

    write_ct_series(tmp_path, change=rescale)
    hu = read_series(tmp_path).hu
    np.testing.assert_array_equal(hu[:, 4, 4], [i * (i + 1) + 10 * i for i in range(6)])


def test_a_slope_that_is_not_whole_is_rounded(tmp_path: Path) -> None:
    write_ct_series(tmp_path, slope=0.5, intercept=-1000.0)
    np.testing.assert_array_equal(read_series(tmp_path).hu, ct_pixels())


@pytest.mark.parametrize(
    "elements",
    [{"RescaleSlope": None}, {"RescaleIntercept": None}, {"RescaleSlope": 0}],
)
def test_without_a_rescale_there_are_no_hu(tmp_path: Path, elements: dict[str, object]) -> None:
    write_ct_series(tmp_path, **elements)  # type: ignore[arg-type]
    with pytest.raises(UnreadablePixelsError, match="RescaleSlope and RescaleIntercept"):
        read_series(tmp_path)


def test_signed_12_bits_without_sign_extension(tmp_path: Path) -> None:
    def pack(index: int, dataset: Dataset) -> None:
        stored((ct_pixels()[index].astype(np.int32) & 0xFFF).astype(np.uint16), dataset)

    write_ct_series(tmp_path, intercept=0, signed=True, BitsStored=12, HighBit=11, change=pack)
    np.testing.assert_array_equal(read_series(tmp_path).hu, ct_pixels())


def test_values_in_the_upper_bits(tmp_path: Path) -> None:
    def shift(index: int, dataset: Dataset) -> None:
        stored(((ct_pixels()[index].astype(np.int32) + 1024) << 4).astype(np.uint16), dataset)

    write_ct_series(tmp_path, BitsStored=12, HighBit=15, change=shift)
    np.testing.assert_array_equal(read_series(tmp_path).hu, ct_pixels())


def test_bits_beyond_bits_stored_are_left_out_and_told(tmp_path: Path) -> None:
    def overlay(index: int, dataset: Dataset) -> None:
        values = (ct_pixels()[index] + 1024).astype(np.uint16)
        values[3, 3] |= 0x8000
        stored(values, dataset)

    write_ct_series(tmp_path, BitsStored=12, HighBit=11, change=overlay)
    volume = read_series(tmp_path)
    np.testing.assert_array_equal(volume.hu, ct_pixels())
    assert "6 pixels" in note(volume, "stray_bits")


@pytest.mark.parametrize(
    ("signed", "padding", "bits"),
    [(True, -2000, 16), (False, 63536, 12), (False, -2000, 12), (True, 63536, 16)],
)
def test_padding_becomes_air(tmp_path: Path, signed: bool, padding: int, bits: int) -> None:
    def pad(index: int, dataset: Dataset) -> None:
        values = (ct_pixels()[index].astype(np.int32) + (0 if signed else 1024)).astype(np.int16)
        values[0, :4] = -2000
        stored(values, dataset)
        vr = "SS" if padding < 0 else "US"
        dataset.add_new("PixelPaddingValue", vr, padding)

    write_ct_series(
        tmp_path,
        signed=signed,
        intercept=0 if signed else -1024,
        BitsStored=bits,
        HighBit=bits - 1,
        change=pad,
    )
    volume = read_series(tmp_path)
    expected = ct_pixels()
    expected[:, 0, :4] = AIR_HU
    np.testing.assert_array_equal(volume.hu, expected)
    assert not note(volume, "stray_bits")


def test_a_padding_range_becomes_air(tmp_path: Path) -> None:
    def pad(index: int, dataset: Dataset) -> None:
        values = ct_pixels()[index].copy()
        values[0, :4] = [-2000, -1999, -1990, -1989]
        stored(values, dataset)
        dataset.add_new("PixelPaddingValue", "SS", -2000)
        dataset.add_new("PixelPaddingRangeLimit", "SS", -1990)

    write_ct_series(tmp_path, signed=True, intercept=0, change=pad)
    hu = read_series(tmp_path).hu
    np.testing.assert_array_equal(hu[2, 0, :4], [AIR_HU, AIR_HU, AIR_HU, -1989])


def test_padding_that_could_be_tissue_is_kept_and_told(tmp_path: Path) -> None:
    def pad(_: int, dataset: Dataset) -> None:
        dataset.add_new("PixelPaddingValue", "SS", 30)

    write_ct_series(tmp_path, signed=True, intercept=0, change=pad)
    volume = read_series(tmp_path)
    np.testing.assert_array_equal(volume.hu, ct_pixels())
    assert "30 HU" in note(volume, "padding_kept")


def test_values_beyond_int16_are_clipped_and_told(tmp_path: Path) -> None:
    def bright(index: int, dataset: Dataset) -> None:
        values = (ct_pixels()[index] + 1024).astype(np.uint16)
        values[4, 4] = 65535
        stored(values, dataset)

    write_ct_series(tmp_path, change=bright)
    volume = read_series(tmp_path)
    assert (volume.hu[:, 4, 4] == 32767).all()
    assert note(volume, "clipped").startswith("6 values")


def test_monochrome1_changes_the_display_only(tmp_path: Path) -> None:
    write_ct_series(tmp_path, PhotometricInterpretation="MONOCHROME1")
    volume = read_series(tmp_path)
    np.testing.assert_array_equal(volume.hu, ct_pixels())
    assert "display only" in note(volume, "monochrome1")


def test_monochrome1_with_inverted_values_is_proved_by_its_corners(tmp_path: Path) -> None:
    def invert(index: int, dataset: Dataset) -> None:
        stored((4095 - (ct_pixels()[index].astype(int) + 1024)).astype(np.uint16), dataset)

    elements = {"PhotometricInterpretation": "MONOCHROME1", "BitsStored": 12, "HighBit": 11}
    write_ct_series(tmp_path, change=invert, **elements)  # type: ignore[arg-type]
    volume = read_series(tmp_path)
    np.testing.assert_array_equal(volume.hu, ct_pixels())
    assert "inverted back" in note(volume, "monochrome1")


def test_monochrome1_that_makes_no_sense_is_refused(tmp_path: Path) -> None:
    write_ct_series(tmp_path, hu=ct_pixels() + 2000, PhotometricInterpretation="MONOCHROME1")
    with pytest.raises(UnreadablePixelsError, match="MONOCHROME1"):
        read_series(tmp_path)


def compressed_copies(folder: Path, name: str) -> NDArray[np.int16]:
    """Five slices from one file of pydicom's; its HU, or a skip where it is not there."""
    path = get_testdata_file(name, download=False)
    if path is None:
        pytest.skip(f"pydicom-data has no {name} here")
    dataset = pydicom.dcmread(path)
    for index in range(5):
        dataset.ImagePositionPatient = [0, 0, index * 5.0]
        dataset.SOPInstanceUID = f"1.2.{index}"
        dataset.save_as(folder / str(index))
    plain = pydicom.dcmread(path)
    pixels = plain.pixel_array.astype(int)
    hu = pixels * int(plain.RescaleSlope) + int(plain.RescaleIntercept)
    return np.maximum(hu, -32768).astype(np.int16)


@pytest.mark.parametrize(
    ("name", "lossy"),
    [("693_J2KR.dcm", False), ("693_J2KI.dcm", True), ("bad_sequence.dcm", False)],
)
def test_compressed_ct_is_read(tmp_path: Path, name: str, lossy: bool) -> None:
    expected = compressed_copies(tmp_path, name)
    series = pydicom.dcmread(tmp_path / "0", stop_before_pixels=True).SeriesInstanceUID
    volume = read_series(tmp_path, series=series)
    inside = expected > -1000
    assert inside.mean() > 0.3
    np.testing.assert_array_equal(volume.hu[3][inside], expected[inside])
    if not lossy:
        assert not note(volume, "lossy_compression")


def test_jpeg_2000_equals_the_uncompressed_copy(tmp_path: Path) -> None:
    (tmp_path / "raw").mkdir()
    (tmp_path / "j2k").mkdir()
    compressed_copies(tmp_path / "raw", "693_UNCR.dcm")
    compressed_copies(tmp_path / "j2k", "693_J2KR.dcm")
    raw, j2k = (
        read_series(
            tmp_path / name, series=pydicom.dcmread(tmp_path / name / "0").SeriesInstanceUID
        )
        for name in ("raw", "j2k")
    )
    np.testing.assert_array_equal(raw.hu, j2k.hu)


def test_rle_needs_no_plug_in(tmp_path: Path) -> None:
    for path in write_ct_series(tmp_path):
        dataset = pydicom.dcmread(path)
        dataset.compress(RLELossless, generate_instance_uid=False)
        dataset.save_as(path)
    np.testing.assert_array_equal(read_series(tmp_path).hu, ct_pixels())


def test_a_missing_decoder_names_syntax_and_package(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    compressed_copies(tmp_path, "693_J2KR.dcm")
    monkeypatch.setattr(JPEG2000LosslessDecoder, "_available", {})
    series = pydicom.dcmread(tmp_path / "0", stop_before_pixels=True).SeriesInstanceUID
    with pytest.raises(UnreadablePixelsError, match="JPEG 2000") as caught:
        read_series(tmp_path, series=series)
    assert 'pip install "hemx[dicom]"' in str(caught.value)


def test_a_syntax_nobody_knows_is_refused(tmp_path: Path) -> None:
    for path in write_ct_series(tmp_path):
        dataset = pydicom.dcmread(path)
        dataset.PixelData = encapsulate([dataset.PixelData])
        dataset.file_meta.TransferSyntaxUID = MPEG2MPML
        dataset.save_as(path)
    with pytest.raises(UnreadablePixelsError, match="MPEG2"):
        read_series(tmp_path)


def test_deflated_files_are_read(tmp_path: Path) -> None:
    for path in write_ct_series(tmp_path):
        dataset = pydicom.dcmread(path)
        dataset.file_meta.TransferSyntaxUID = DeflatedExplicitVRLittleEndian
        dataset.save_as(path)
    np.testing.assert_array_equal(read_series(tmp_path).hu, ct_pixels())


@pytest.mark.parametrize("implicit", [False, True])
def test_files_without_preamble_and_meta_information_are_read(
    tmp_path: Path, implicit: bool
) -> None:
    for path in write_ct_series(tmp_path):
        dataset = pydicom.dcmread(path)
        del dataset.file_meta
        dataset.save_as(path, enforce_file_format=False, implicit_vr=implicit, little_endian=True)
    np.testing.assert_array_equal(read_series(tmp_path).hu, ct_pixels())


def test_one_truncated_file_among_good_ones_is_told(tmp_path: Path) -> None:
    paths = write_ct_series(tmp_path, hu=ct_pixels(8))
    paths[3].write_bytes(paths[3].read_bytes()[:-100])
    volume = read_series(tmp_path)
    np.testing.assert_array_equal(volume.hu, np.delete(ct_pixels(8), 3, axis=0))
    assert paths[3].name in note(volume, "unreadable_slices")
    assert "between slices 3 and 4" in note(volume, "missing_slices")


def test_a_series_cut_short_everywhere_names_a_file(tmp_path: Path) -> None:
    for path in write_ct_series(tmp_path):
        path.write_bytes(path.read_bytes()[:-100])
    with pytest.raises(UnreadablePixelsError, match=r"6 of 6 slices cannot be read.*1_006"):
        read_series(tmp_path)


def test_headers_without_pixels_are_unreadable(tmp_path: Path) -> None:
    write_ct_series(tmp_path, PixelData=None)
    with pytest.raises(UnreadablePixelsError, match="pixel data"):
        read_series(tmp_path)


def test_too_few_readable_slices_are_no_volume(tmp_path: Path) -> None:
    paths = write_ct_series(tmp_path)
    for path in paths[:2]:
        path.write_bytes(path.read_bytes()[:-100])
    with pytest.raises(TooFewSlicesError, match="4 slices can be read"):
        read_series(tmp_path)


def test_lossy_compression_is_told(tmp_path: Path) -> None:
    write_ct_series(tmp_path, LossyImageCompression="01")
    assert note(read_series(tmp_path), "lossy_compression")
