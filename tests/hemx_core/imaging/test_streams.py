"""Pixels that are cut, filled up, holed or of another size: refused, never half a picture."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pydicom
import pytest
from numpy.typing import NDArray
from pydicom.data import get_testdata_file
from pydicom.dataset import Dataset
from pydicom.encaps import encapsulate, generate_frames
from pydicom.pixels.decoders import JPEGBaseline8BitDecoder, JPEGLSLosslessDecoder
from pydicom.uid import UID

from benchmarks.robustness.encoders import ENCODERS, jpeg, jpeg_lossless
from hemx_core.errors import DicomSeriesError, UnreadablePixelsError
from hemx_core.imaging.files import open_input
from hemx_core.imaging.headers import read_headers
from hemx_core.imaging.pixels import stored_slices
from hemx_core.imaging.reader import read_series
from hemx_core.imaging.streams import DamageError, Picture, check_stream
from hemx_core.words import tell
from tests.factories import write_ct_series

END = b"\xff\xd9"
PICTURE = Picture(rows=64, columns=48, samples=1, bits_allocated=16)


def values(rows: int = 64, columns: int = 48) -> NDArray[np.uint16]:
    """12-bit values with edges, noise and a flat rim."""
    rng = np.random.default_rng(5)
    row, column = np.mgrid[:rows, :columns]
    picture = np.where(np.hypot(row - rows / 2, column - columns / 2) < 20, 1080, 24)
    picture[4:-4, 4:-4] += rng.integers(0, 25, (rows - 8, columns - 8))
    return picture.astype(np.uint16)


def read(
    folder: Path, syntax: str, pixel_data: bytes, bits: int, **elements: object
) -> NDArray[np.integer] | DicomSeriesError:
    """The stored values of a slice with this pixel data, or the error."""

    def put(index: int, dataset: Dataset) -> None:
        dataset.Rows, dataset.Columns = 64, 48
        dataset.BitsAllocated, dataset.BitsStored = bits, min(bits, 12)
        dataset.HighBit = dataset.BitsStored - 1
        if UID(syntax).is_encapsulated:
            dataset.PixelData = encapsulate([pixel_data])
            dataset["PixelData"].is_undefined_length = True
        else:
            dataset.PixelData = pixel_data
        for keyword, value in elements.items():
            setattr(dataset, keyword, value)

    hu = np.zeros((1, 64, 48), np.int16)
    path = write_ct_series(folder, hu=hu, syntax=UID(syntax), change=put)[0]
    with open_input(path) as found:
        return next(iter(stored_slices(read_headers(found.sources[0]))))[1]


def encoded(name: str) -> tuple[str, int, bytes]:
    """Transfer syntax, BitsAllocated and the stream of `values()`."""
    syntax, bits, encode = ENCODERS[name]
    return syntax, bits, encode(values())


@pytest.mark.parametrize("name", ENCODERS)
def test_whole_streams_are_read_with_padding_behind_or_without(tmp_path: Path, name: str) -> None:
    syntax, bits, stream = encoded(name)
    for index, behind in enumerate((b"", b"\0", b"\0\0")):
        pixels = read(tmp_path / str(index), syntax, stream + behind, bits)
        assert isinstance(pixels, np.ndarray), pixels
        wanted = values() if bits == 16 else values() >> 4
        assert np.abs(pixels.astype(int) - wanted).max() <= (0 if "l" in name[:1] else 40)


CUTS: dict[str, Callable[[bytes, int], bytes]] = {
    "cut": lambda stream, at: stream[:at],
    "cut and ended": lambda stream, at: stream[:at] + END,
    "zeros to the end": lambda stream, at: stream[:at] + bytes(len(stream) - at),
    "a block lost": lambda stream, at: stream[: at - 128] + stream[at:],
}


@pytest.mark.parametrize("damage", CUTS)
@pytest.mark.parametrize("name", ENCODERS)
def test_no_half_picture_is_accepted(tmp_path: Path, name: str, damage: str) -> None:
    syntax, bits, stream = encoded(name)
    whole, accepted = read(tmp_path, syntax, stream, bits), []
    for index, part in enumerate(np.linspace(0.5, 0.98, 5)):
        damaged = CUTS[damage](stream, int(len(stream) * part))
        if name == "RLE" and damaged.endswith(END):
            damaged = damaged[:-2]  # has no end marker
        outcome = read(tmp_path / str(index), syntax, damaged, bits)
        # Zeros may stand where zeros stood: the flat rim.
        if not (isinstance(outcome, UnreadablePixelsError) or np.array_equal(outcome, whole)):
            accepted.append(part)
    assert accepted == []


@pytest.mark.parametrize("name", [name for name in ENCODERS if name != "RLE"])
def test_a_missing_end_marker_is_told_where_the_picture_is_whole(tmp_path: Path, name: str) -> None:
    syntax, bits, stream = encoded(name)
    whole = read(tmp_path / "whole", syntax, stream, bits)
    np.testing.assert_array_equal(read(tmp_path / "cut", syntax, stream[:-2], bits), whole)
    picture = Picture(rows=64, columns=48, samples=1, bits_allocated=bits)
    assert check_stream(syntax, stream, picture).ended
    assert not check_stream(syntax, stream[:-2], picture).ended


@pytest.mark.parametrize("name", ENCODERS)
def test_a_header_of_another_size_is_found_before_decoding(tmp_path: Path, name: str) -> None:
    syntax, bits, stream = encoded(name)
    for elements in ({"Rows": 32}, {"Columns": 96}, {"Rows": 128, "Columns": 24}):
        folder = tmp_path / "-".join(map(str, elements.values()))
        if name == "RLE" and "Columns" in elements and "Rows" in elements:
            continue  # says nothing of rows: as many pixels are as good
        outcome = read(folder, syntax, stream, bits, **elements)
        assert isinstance(outcome, UnreadablePixelsError)
        assert outcome.code == "stream_damaged"
        if name != "RLE":
            assert "64 x 48 pixels" in str(outcome)


def test_a_decoder_that_lets_a_cut_stream_pass_is_not_believed(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name, decoder, plugin in (
        ("baseline", JPEGBaseline8BitDecoder, "pillow"),
        ("JPEG-LS", JPEGLSLosslessDecoder, "pylibjpeg"),
    ):
        syntax, bits, stream = encoded(name)
        only = {plugin: decoder._available[plugin]}
        monkeypatch.setattr(decoder, "_available", only)
        for index, cut in enumerate((stream, stream[:-2])):
            assert isinstance(read(tmp_path / f"{name}{index}", syntax, cut, bits), np.ndarray)
        for part in (0.5, 0.7, 0.9):
            cut = stream[: int(len(stream) * part)] + END
            outcome = read(tmp_path / f"{name}{part}", syntax, cut, bits)
            assert isinstance(outcome, UnreadablePixelsError)
            assert "ends before the picture does" in str(outcome)


def test_the_strictest_decoder_is_not_overruled(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    syntax, bits, stream = encoded("JPEG-LS")
    asked = []

    def spy(name: str, function: Callable[..., object]) -> Callable[..., object]:
        def decode(*arguments: object) -> object:
            asked.append(name)
            return function(*arguments)

        return decode

    plugins = JPEGLSLosslessDecoder._available
    assert set(plugins) >= {"pyjpegls", "pylibjpeg"}
    spies = {name: spy(name, function) for name, function in plugins.items()}
    monkeypatch.setattr(JPEGLSLosslessDecoder, "_available", spies)
    assert isinstance(read(tmp_path, syntax, stream[: len(stream) // 2] + END, bits), Exception)
    assert set(asked) == {"pyjpegls"}


def test_a_panic_of_a_decoder_is_an_unreadable_slice(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    class PanicError(BaseException):
        pass

    def panic(*_: object) -> bytes:
        raise PanicError("index out of bounds")

    syntax, bits, stream = encoded("RLE")
    decoder = pydicom.pixels.get_decoder(syntax)
    monkeypatch.setattr(decoder, "_available", {"pylibjpeg": panic})
    outcome = read(tmp_path, syntax, stream, bits)
    assert isinstance(outcome, UnreadablePixelsError)
    assert "index out of bounds" in str(outcome)


def test_an_interrupt_is_no_unreadable_slice(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def interrupt(*_: object) -> bytes:
        raise KeyboardInterrupt

    syntax, bits, stream = encoded("RLE")
    monkeypatch.setattr(pydicom.pixels.get_decoder(syntax), "_available", {"pydicom": interrupt})
    with pytest.raises(KeyboardInterrupt):
        read(tmp_path, syntax, stream, bits)


def test_odd_but_whole_jpeg_streams_are_read(tmp_path: Path) -> None:
    syntax, bits, stream = encoded("lossless")
    fill = stream[:2] + b"\xff\xff\xff" + stream[2:-2] + b"\xff\xff" + stream[-2:]
    np.testing.assert_array_equal(read(tmp_path / "1", syntax, fill, bits), values())
    comment = stream[:2] + b"\xff\xfe\x00\x06\xff\xd9\xff\xda" + stream[2:]
    np.testing.assert_array_equal(read(tmp_path / "2", syntax, comment, bits), values())
    syntax, bits, stream = encoded("JPEG-LS")
    zero = stream[:-2] + b"\0" + stream[-2:]
    np.testing.assert_array_equal(read(tmp_path / "3", syntax, zero, bits), values())


def test_restart_intervals_are_counted(tmp_path: Path) -> None:
    syntax, bits, _ = ENCODERS["baseline"]
    stream = jpeg(values(), restart=4)
    assert stream.count(b"\xff\xd0") > 0
    assert isinstance(read(tmp_path / "whole", syntax, stream, bits), np.ndarray)
    first, second = stream.index(b"\xff\xd0"), stream.index(b"\xff\xd1")
    lost = stream[:first] + stream[second:]
    assert isinstance(read(tmp_path / "lost", syntax, lost, bits), UnreadablePixelsError)


@pytest.mark.parametrize(
    ("name", "stream", "said"),
    [
        ("lossless", b"\0\0" + jpeg_lossless(values()), "does not begin"),
        ("lossless", b"", "does not begin"),
        ("lossless", b"\xff\xd8", "ends before"),
        ("lossless", b"\xff\xd8\xff\xd9", "ends before"),
        ("lossless", b"\xff\xd8\xff\xda\x00\x02", "breaks the rules"),
        ("lossless", b"\xff\xd8\x11\x22", "breaks the rules"),
        ("JPEG 2000", b"\xff\xd8\xff\xd9", "does not begin"),
        ("JPEG 2000", b"\xff\x4f\xff\x51\0\0", "breaks the rules"),
        ("RLE", b"\2\0\0\0", "ends before"),
        ("RLE", b"\3\0\0\0" + bytes(60), "breaks the rules"),
        ("RLE", b"\2\0\0\0" + bytes(60), "ends before"),
    ],
)
def test_what_is_no_stream_is_said_so(name: str, stream: bytes, said: str) -> None:
    with pytest.raises(DamageError) as caught:
        check_stream(ENCODERS[name][0], stream, PICTURE)
    assert said in tell(caught.value.phrase)
    assert tell(caught.value.phrase, "ja") != tell(caught.value.phrase)


@pytest.mark.parametrize("name", ["JPEG 2000", "JPEG 2000 lossy"])
def test_a_lost_block_inside_jpeg_2000_is_found(tmp_path: Path, name: str) -> None:
    syntax, bits, stream = encoded(name)
    start = stream.index(b"\xff\x93") + 2
    assert len(stream) > start + 552
    holed = stream[: start + 40] + bytes(512) + stream[start + 552 :]
    outcome = read(tmp_path, syntax, holed, bits)
    assert isinstance(outcome, UnreadablePixelsError)
    assert "512 zero bytes" in str(outcome)


def test_rle_that_makes_more_or_less_than_the_picture_is_refused(tmp_path: Path) -> None:
    syntax, bits, stream = encoded("RLE")
    first = int.from_bytes(stream[8:12], "little")
    more = bytearray(stream)
    more[8:12] = (first + 2).to_bytes(4, "little")
    longer = bytes(more[:first]) + b"\xfe\x07" + bytes(more[first:])
    outcome = read(tmp_path / "more", syntax, longer, bits)
    assert isinstance(outcome, UnreadablePixelsError)
    assert "full before" in str(outcome)
    less = bytearray(stream)
    less[8:12] = (first - 4).to_bytes(4, "little")
    outcome = read(tmp_path / "less", syntax, bytes(less), bits)
    assert isinstance(outcome, UnreadablePixelsError)


@pytest.mark.parametrize(("found", "said"), [(-2, "6142 bytes where 6144"), (-96, "6048 bytes")])
def test_plain_pixels_that_are_too_short_are_refused(tmp_path: Path, found: int, said: str) -> None:
    outcome = read(tmp_path, "1.2.840.10008.1.2.1", values().tobytes()[:found], 16)
    assert isinstance(outcome, UnreadablePixelsError)
    assert said in str(outcome)


def test_what_follows_the_pixel_data_does_not_fill_it(tmp_path: Path) -> None:
    """The length of the element counts: behind it may lie the padding of the file."""
    padding = {"DataSetTrailingPadding": bytes(4000)}
    outcome = read(tmp_path, "1.2.840.10008.1.2.1", values().tobytes()[:4096], 16, **padding)
    assert isinstance(outcome, UnreadablePixelsError)
    assert "4096 bytes where 6144" in str(outcome)


def test_plain_pixels_with_more_than_padding_behind_are_of_another_size(tmp_path: Path) -> None:
    plain, pixels = "1.2.840.10008.1.2.1", values().tobytes()
    for index, behind in enumerate((bytes(2), bytes(1000), b"\1\2" * 40)):
        read_again = read(tmp_path / str(index), plain, pixels + behind, 16)
        np.testing.assert_array_equal(read_again, values())
    outcome = read(tmp_path / "more", plain, pixels + pixels[:960], 16)
    assert isinstance(outcome, UnreadablePixelsError)
    assert "7104 bytes where the header asks for 6144" in str(outcome)


def test_a_frame_in_fragments_is_one_whatever_its_offset_table_says(tmp_path: Path) -> None:
    syntax, bits, stream = encoded("lossless")
    thirds = [stream[: 2 * (len(stream) // 6)], stream[2 * (len(stream) // 6) :]]
    for index, table in enumerate((b"", (999).to_bytes(4, "little"))):
        items = b"".join(
            b"\xfe\xff\x00\xe0" + len(part).to_bytes(4, "little") + part for part in thirds
        )
        data = b"\xfe\xff\x00\xe0" + len(table).to_bytes(4, "little") + table + items
        pixels = read(tmp_path / str(index), syntax, stream, bits, PixelData=data)
        np.testing.assert_array_equal(pixels, values())
    data = b"\xfe\xff\x00\xe0" + bytes(4) + items[: 8 + len(thirds[0])]
    outcome = read(tmp_path / "lost", syntax, stream, bits, PixelData=data)
    assert isinstance(outcome, UnreadablePixelsError)


def test_a_slice_that_was_cut_is_lost_and_named(tmp_path: Path) -> None:
    syntax, _, stream = encoded("lossless")

    def compress(index: int, dataset: Dataset) -> None:
        cut = {3: stream[: len(stream) // 2] + END, 5: stream[:-2]}
        dataset.PixelData = encapsulate([cut.get(index, stream)])
        dataset["PixelData"].is_undefined_length = True

    hu = np.zeros((8, 64, 48), np.int16)
    paths = write_ct_series(tmp_path, hu=hu, syntax=UID(syntax), change=compress)
    volume = read_series(tmp_path)
    assert len(volume.hu) == 7
    assert (volume.hu == values().astype(int) - 1024).all()
    told = {one.code: one for one in volume.notes}
    assert told["unreadable_slices"].values["files"] == (paths[3].name,)
    assert "JPEG Lossless" in tell(told["unreadable_slices"], "ja")
    assert told["end_marker_missing"].values["files"] == (paths[5].name,)
    assert "1 slice has no end marker" in tell(told["end_marker_missing"])


OTHERS = [
    "JPEG-lossy.dcm",
    "JPEG-LL.dcm",
    "JPEG2000.dcm",
    "693_J2KI.dcm",
    "MR_small_jp2klossless.dcm",
    "MR_small_RLE.dcm",
    "emri_small_jpeg_ls_lossless.dcm",
    "bad_sequence.dcm",
]


@pytest.mark.parametrize("name", OTHERS)
def test_streams_of_other_makers_are_whole(name: str) -> None:
    path = get_testdata_file(name, download=False)
    if path is None:
        pytest.skip(f"pydicom-data has no {name} here")
    dataset = pydicom.dcmread(path)
    syntax, frames = dataset.file_meta.TransferSyntaxUID, int(dataset.get("NumberOfFrames", 1))
    picture = Picture(
        rows=dataset.Rows,
        columns=dataset.Columns,
        samples=dataset.SamplesPerPixel,
        bits_allocated=dataset.BitsAllocated,
    )
    streams = list(generate_frames(dataset.PixelData, number_of_frames=frames))
    assert len(streams) == frames
    assert all(check_stream(syntax, stream, picture).ended for stream in streams)
