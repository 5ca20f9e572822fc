"""Zips and folders that mean harm: each is refused or read right, soon and in little memory."""

from __future__ import annotations

import io
import os
import shutil
import struct
import subprocess
import tempfile
import warnings
import zipfile
from collections.abc import Callable, Mapping
from functools import partial
from pathlib import Path

import hemx_core as hemx
from benchmarks.robustness import attacks_headers, material
from benchmarks.robustness.forks import ask_all, in_child
from benchmarks.robustness.outcome import Answer, Outcome, Row
from benchmarks.robustness.plain import differences, read_plain
from hemx_core.imaging import limits
from hemx_core.notes import Severity

Build = Callable[[Path], Path]
"""Makes an attack in an empty folder and returns what is given to HEMX."""
SERIES, SOUND, GIVEN, DEEP, JUDGED = "series", "sound", "given", "deep", "judged"
"""In an attack's own folder: a series, a sound copy, the path to read, folders in folders, what is wrong."""
ENTRY, END = b"PK\x01\x02", b"PK\x05\x06"
FLAGS, METHOD, CRC, PACKED, SIZE, OFFSET, ATTRIBUTES = 8, 10, 16, 20, 24, 42, 38
"""Where these stand in an entry of a zip's directory."""
MEBI = 2**20
HEAD = bytes(128) + b"DICM"


LISTED = "listed: "
"""Before the name of an attack that is listed, not read: each of the two has its own time."""


def ask(name: str) -> Answer:
    """Make an attack, give it to HEMX to be read or to be listed, and clear it away."""
    attack = name.removeprefix(LISTED)
    shm = Path("/dev/shm")
    with tempfile.TemporaryDirectory(dir=shm if shm.is_dir() else None) as made:
        folder = Path(made)
        try:
            # In a child: what the making takes is not HEMX's.
            in_child(partial(_make, attack, folder))
            given = Path((folder / GIVEN).read_text(encoding="utf-8"))
            if attack != name:
                hemx.list_series(given)
                return Outcome.RIGHT, ""
            return look(given, folder / SOUND)
        finally:
            in_child(partial(_clear, folder))


def _make(name: str, folder: Path) -> None:
    for copy in (SERIES, SOUND):
        material.write_series(folder / copy)
    with warnings.catch_warnings(action="ignore"):
        given = every()[name](folder)
    (folder / GIVEN).write_text(str(given), encoding="utf-8")


def every() -> dict[str, Build]:
    """All attacks, by name."""
    return {**attacks(), **attacks_headers.attacks()}


def look(given: Path, sound: Path) -> Answer:
    """Read; what is read is the sound series or what pydicom reads of the input."""
    volume = hemx.read_series(given)
    warned = [note.code for note in volume.notes if note.severity is Severity.WARNING]
    if warned:
        return Outcome.TOLD, warned[0]
    judged = sound.with_name(JUDGED)

    def judge() -> None:
        wrong = differences(volume, read_plain(sound), read_plain(given))
        judged.write_text(wrong, encoding="utf-8")

    in_child(judge)  # nor is what the other reader takes
    wrong = judged.read_text(encoding="utf-8")
    return (Outcome.SILENT, wrong) if wrong else (Outcome.RIGHT, "")


def run_attacks(tell: Callable[[str], None]) -> list[Row]:
    """All of them, each read and listed in the memory and time of a refusal; each is told when over."""
    rows = []
    names = list(every())
    for row in ask_all(ask, [*names, *(LISTED + name for name in names)]):
        tell(f"{row.outcome} {row.name}: {row.why} ({row.seconds:.1f} s, {row.mib:.0f} MiB)")
        rows.append(row)
    return rows


def _clear(folder: Path) -> None:
    """Delete folders in folders that are deeper than Python recurses and a path may be long."""
    subprocess.run(["rm", "-rf", "--one-file-system", "--", os.fspath(folder / DEEP)], check=True)


def zipped(
    folder: Path, extra: Mapping[str, bytes] | None = None, method: int = zipfile.ZIP_DEFLATED
) -> Path:
    """The sound series as a zip, with more members."""
    with zipfile.ZipFile(folder / "study.zip", "w", method) as archive:
        for path in sorted((folder / SERIES).iterdir()):
            archive.write(path, path.name)
        for name, content in (extra or {}).items():
            archive.writestr(name, content)
    return folder / "study.zip"


def _bomb(folder: Path, mebi: int, method: int, declared: int | None = None) -> Path:
    return _alone(folder, HEAD + bytes(mebi * MEBI), method, declared)


def _alone(folder: Path, content: bytes, method: int, declared: int | None = None) -> Path:
    with zipfile.ZipFile(folder / "study.zip", "w", method) as archive:
        archive.writestr("bomb", content)
    if declared is not None:
        _declare(folder / "study.zip", SIZE, struct.pack("<I", declared))
    return folder / "study.zip"


def _declare(path: Path, place: int, value: bytes, *, every: bool = False) -> Path:
    """Write a value into the last member's entry of the directory, or into all."""
    data = bytearray(path.read_bytes())
    at = data.rindex(ENTRY)
    while at >= 0:
        data[at + place : at + place + len(value)] = value
        at = data.rfind(ENTRY, 0, at) if every else -1
    path.write_bytes(data)
    return path


def _declared(folder: Path, place: int, value: bytes, *, every: bool = False) -> Path:
    return _declare(zipped(folder), place, value, every=every)


def _overlapping(folder: Path, times: int) -> Path:
    path = _alone(folder, HEAD + bytes(30 * MEBI), zipfile.ZIP_DEFLATED)
    data = path.read_bytes()
    start, end = data.rindex(ENTRY), data.rindex(END)
    entries, tail = data[start:end] * times, bytearray(data[end:])
    tail[8:16] = struct.pack("<HHI", times % 2**16, times % 2**16, len(entries))
    path.write_bytes(data[:start] + entries + tail)
    return path


def _named(folder: Path, name: str) -> Path:
    path = zipped(folder)
    with zipfile.ZipFile(path, "a") as archive:
        member = zipfile.ZipInfo("x")
        member.filename = name
        archive.writestr(member, b"x" * 200)
    return path


def _link(folder: Path) -> Path:
    path = zipped(folder)
    member = zipfile.ZipInfo("link")
    member.external_attr = 0o120777 << 16
    with zipfile.ZipFile(path, "a") as archive:
        archive.writestr(member, "/etc/passwd")
    return path


def _many_members(folder: Path, count: int) -> Path:
    """A directory of so many entries, all of one empty member."""
    path = _alone(folder, b"", zipfile.ZIP_STORED)
    data = path.read_bytes()
    start, end = data.rindex(ENTRY), data.rindex(END)
    tail = bytearray(data[end:])
    size = count * (end - start)
    tail[8:16] = struct.pack("<HHI", count % 2**16, count % 2**16, size)
    with path.open("wb") as stream:
        stream.write(data[:start])
        for _ in range(count // 1000):
            stream.write(data[start:end] * 1000)
        stream.write(tail)
    return path


def _within(folder: Path, times: int) -> Path:
    content = (folder / SERIES / "000").read_bytes()
    for _ in range(times):
        packed = io.BytesIO()
        with zipfile.ZipFile(packed, "w", zipfile.ZIP_DEFLATED) as archive:
            archive.writestr("inner.zip", content)
        content = packed.getvalue()
    return zipped(folder, {"outer.zip": content})


def _zip64(folder: Path, value: int) -> Path:
    path = zipped(folder)
    data = path.read_bytes()
    at = data.rindex(END)
    record = struct.pack("<4sQ2H2L4Q", b"PK\x06\x06", 44, 45, 45, 0, 0, value, value, value, value)
    locator = struct.pack("<4sIQI", b"PK\x06\x07", 0, at, 1)
    path.write_bytes(data[:at] + record + locator + data[at:])
    return path


def _around(folder: Path, before: bytes, behind: bytes) -> Path:
    path = zipped(folder)
    path.write_bytes(before + path.read_bytes() + behind)
    return path


def _deep(folder: Path, depth: int) -> Path:
    """Folders in folders, made by descriptors: this process never leaves its own folder."""
    place = folder / DEEP
    place.mkdir()
    at = os.open(place, os.O_RDONLY)
    for _ in range(depth):
        os.mkdir("d", dir_fd=at)
        inside = os.open("d", os.O_RDONLY, dir_fd=at)
        os.close(at)
        at = inside
    target = os.open("000", os.O_WRONLY | os.O_CREAT, 0o600, dir_fd=at)
    os.write(target, (folder / SERIES / "000").read_bytes())
    os.close(target)
    os.close(at)
    return place


def _many_files(folder: Path, count: int, content: bytes, *, beside: bool = False) -> Path:
    place = folder / "many"
    place.mkdir()
    first = place / "f0"
    first.write_bytes(content)
    for number in range(1, count):
        os.link(first, place / f"f{number}")
    if beside:
        for path in (folder / SERIES).iterdir():
            shutil.copy(path, place / path.name)
    return place


def _odd_files(folder: Path) -> Path:
    place = folder / SERIES
    os.mkfifo(place / "pipe")
    (place / "loop").symlink_to("loop")
    (place / "around").symlink_to(place, target_is_directory=True)
    (place / "nowhere").symlink_to("absent")
    (place / ("n" * 255)).write_bytes(b"text" * 99)
    (place / "\udcff\x1b[31m").write_bytes(b"text" * 99)
    return place


def _linked_out(folder: Path) -> Path:
    (folder / SERIES / "out").symlink_to("/etc")
    return folder / SERIES


def attacks() -> Mapping[str, Build]:
    """By name: zips, and what lies in folders."""
    names = {
        "empty": "", "a dot": ".", "a stroke": "/", "absolute": "/etc/cron.d/x",
        "leaves": "../../x", "leaves inside": "a/../../x", "a drive": "C:\\x", "backslashes": "..\\x",
        "escapes": "\x1b]0;x\x07\x1b[31m", "long": "n" * 65000, "1,000 folders": "d/" * 1000 + "x",
        "a zero": "a\0b", "right to left": "\u202ecod.exe",
    }  # fmt: skip
    built: dict[str, Build] = {
        "zip: bomb that declares 200 bytes": lambda f: _bomb(f, 300, zipfile.ZIP_DEFLATED, 200),
        "zip: bomb that declares itself": lambda f: _bomb(f, 300, zipfile.ZIP_DEFLATED),
        "zip: bomb that declares 4 GiB": lambda f: _bomb(f, 300, zipfile.ZIP_DEFLATED, 2**32 - 2),
        "zip: bzip2 bomb": lambda f: _bomb(f, 40, zipfile.ZIP_BZIP2),
        "zip: bzip2 bomb that declares 200 bytes": lambda f: _bomb(f, 300, zipfile.ZIP_BZIP2, 200),
        "zip: LZMA bomb": lambda f: _bomb(f, 40, zipfile.ZIP_LZMA),
        "zip: LZMA bomb that declares 200 bytes": lambda f: _bomb(f, 40, zipfile.ZIP_LZMA, 200),
        "zip: 20 members in each other": partial(_overlapping, times=20),
        "zip: 2,000 members in each other": partial(_overlapping, times=2000),
        "zip: zips in zips": partial(_within, times=20),
        "zip: 30,000 members": partial(_many_members, count=30_000),
        "zip: 400,000 members": partial(_many_members, count=400_000),
        "zip: link": _link,
        "zip: all encrypted": partial(_declared, place=FLAGS, value=b"\1\0", every=True),
        "zip: one encrypted": partial(_declared, place=FLAGS, value=b"\1\0"),
        "zip: unknown method": partial(_declared, place=METHOD, value=b"\x63\0"),
        "zip: wrong checksum": partial(_declared, place=CRC, value=b"\1\2\3\4"),
        "zip: packed size of 1 GiB": partial(_declared, place=PACKED, value=b"\0\0\0\x40"),
        "zip: offset elsewhere": partial(_declared, place=OFFSET, value=b"\7\0\0\0"),
        "zip: all at one offset": partial(_declared, place=OFFSET, value=bytes(4), every=True),
        "zip: zip64 of 2^63 entries": partial(_zip64, value=2**63),
        "zip: zip64 of 2^64 entries": partial(_zip64, value=2**64 - 1),
        "zip: zip64 of no entry": partial(_zip64, value=0),
        "zip: behind a program": partial(_around, before=b"\x7fELF" + bytes(9000), behind=b""),
        "zip: before 60 kB of noise": partial(_around, before=b"", behind=b"PK\5\6" * 15_000),
        "zip: nothing but an end": lambda f: _written(f, END + bytes(18)),
        "zip: empty file": lambda f: _written(f, b""),
        "folder: 70 deep": partial(_deep, depth=70),
        "folder: 1,000 deep": partial(_deep, depth=1000),
        "folder: 21,000 files": partial(_many_files, count=21_000, content=b"text" * 99),
        "folder: 15,000 files beside the series": partial(
            _many_files, count=15_000, content=b"text" * 99, beside=True
        ),
        "folder: pipes, loops and odd names": _odd_files,
        "folder: link out of it": _linked_out,
    }
    named: dict[str, Build] = {
        f"zip: name is {told}": partial(_named, name=name) for told, name in names.items()
    }
    return {**built, **named}


def _written(folder: Path, content: bytes) -> Path:
    (folder / "study.zip").write_bytes(content)
    return folder / "study.zip"


assert limits.MAX_FILES < 21_000, "an attack is to be larger than the limit"
