"""Real files of which nothing is known: each is read or refused with a reason, and HU are HU.

The HU of every CT file with a rescale are compared with what pydicom makes of it: `pixel_array` times
slope plus intercept. Where the reader does something else on purpose (padding to air, bits beyond
BitsStored, MONOCHROME1), pixels are compared where both can be right.
"""

from __future__ import annotations

import warnings
from collections import Counter
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pydicom
from pydicom.uid import UID

import hemx_core as hemx
from hemx_core.errors import HemxError
from hemx_core.imaging.files import open_input
from hemx_core.imaging.headers import SliceHeader, read_headers
from hemx_core.imaging.pixels import HUConverter, check_decoder, stored_slices
from hemx_core.imaging.volume import AIR_HU
from hemx_core.records import Json

_PADDING_BELOW_HU = -1000
_CODE = (".py", ".pyc")


@dataclass(frozen=True, kw_only=True)
class FileFound:
    """What came of one file.

    Args:
        listed, read: "ok" or the code of the error, of `list_series` and `read_series`.
        untyped: of an error that HEMX does not raise on purpose.
        syntax: name of the transfer syntax.
        hu: "equal", "differs", "" where there is nothing to compare.
    """

    path: str
    listed: str
    read: str
    untyped: str
    syntax: str
    hu: str


def pydicom_folders() -> list[Path]:
    """The files that pydicom and pydicom-data bring along."""
    import pydicom.data

    folders = [Path(pydicom.data.__file__).parent]
    try:
        import data_store  # type: ignore[import-untyped]
    except ImportError:
        return folders
    return [*folders, Path(data_store.__file__).parent]


def walk(folders: Iterable[Path]) -> Iterator[Path]:
    """All files below folders, in order, but not the packages' own code."""
    for folder in folders:
        files = (path for path in folder.rglob("*") if path.is_file())
        yield from sorted(path for path in files if path.suffix not in _CODE)


def look_at(path: Path) -> FileFound:
    """List, read and compare one file."""
    untyped: list[str] = []
    listed = _outcome(lambda: hemx.list_series(path), untyped)
    read = _outcome(lambda: hemx.read_series(path), untyped)
    syntax, equal = "", ""
    if listed == "ok":
        try:
            syntax, equal = _compare(path)
        except HemxError:
            pass  # told by `read`
        except Exception as error:
            untyped.append(f"{type(error).__name__}: {error}")
    return FileFound(
        path=path.name,
        listed=listed,
        read=read,
        untyped="; ".join(untyped),
        syntax=syntax,
        hu=equal,
    )


def _outcome(ask: Callable[[], object], untyped: list[str]) -> str:
    try:
        ask()
    except HemxError as error:
        return error.code
    except Exception as error:
        untyped.append(f"{type(error).__name__}: {error}")
        return "untyped"
    return "ok"


def _compare(path: Path) -> tuple[str, str]:
    """Name of the transfer syntax, and whether the HU of all its slices are pydicom's."""
    with warnings.catch_warnings(action="ignore"), open_input(path) as found:
        headers = read_headers(found.sources[0])
        facts = headers[0].facts
        syntax = UID(facts.pixels.transfer_syntax).name
        usable = [header for header in headers if header.slope and header.intercept is not None]
        if facts.modality != "CT" or facts.pixels.samples != 1 or not usable:
            return syntax, ""
        check_decoder(facts.pixels.transfer_syntax)
        frames = _pydicom_frames(path)
        if frames is None:
            return syntax, ""
        outcomes = [
            _equal(header, stored, frames[header.frame or 0])
            for header, stored, _ in stored_slices(usable)
            if isinstance(stored, np.ndarray)
        ]
    return syntax, "" if not outcomes else "equal" if all(outcomes) else "differs"


def _pydicom_frames(path: Path) -> np.ndarray | None:
    try:
        dataset = pydicom.dcmread(path, force=True)
        pixels = dataset.pixel_array
    except Exception:  # the other reader may refuse what it likes
        return None
    return pixels if pixels.ndim == 3 else pixels[None]


def _equal(header: SliceHeader, stored: np.ndarray, pixels: np.ndarray) -> bool:
    assert header.slope is not None
    assert header.intercept is not None
    hu = HUConverter().convert(stored, header)
    bound = np.iinfo(np.int16)
    expected = np.rint(pixels.astype(np.float64) * header.slope + header.intercept)
    expected = np.clip(expected, bound.min, bound.max)
    padded = (hu == AIR_HU) & (expected <= _PADDING_BELOW_HU)
    return bool(np.all((hu == expected) | padded))


def summary(found: Iterable[FileFound]) -> Json:
    """Counts of a folder's files."""
    rows = list(found)
    compared = [row for row in rows if row.hu]
    return {
        "files": len(rows),
        "untyped": [f"{row.path}: {row.untyped}" for row in rows if row.untyped],
        "listed": dict(Counter(row.listed for row in rows).most_common()),
        "read": dict(Counter(row.read for row in rows).most_common()),
        "syntaxes": dict(Counter(row.syntax for row in rows if row.hu).most_common()),
        "ct_compared": len(compared),
        "ct_equal": sum(row.hu == "equal" for row in compared),
        "ct_differs": [row.path for row in compared if row.hu == "differs"],
    }
