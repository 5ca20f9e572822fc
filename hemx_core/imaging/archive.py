"""The members of a zip, read in pieces and never further than its limits, whatever the zip declares.

The directory of the zip is checked before anything is unpacked. A member that is damaged, or that lies
where another one lies, is told when it is opened; the others are read all the same.
"""

from __future__ import annotations

import bz2
import io
import stat
import zipfile
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path, PurePosixPath
from typing import Any, BinaryIO

from hemx_core.errors import HemxError, NoSeriesError, UnsafeInputError, cause
from hemx_core.imaging import limits
from hemx_core.imaging.source import Source, broken_source
from hemx_core.notes import Phrase

_SLOW = {zipfile.ZIP_BZIP2: 8, zipfile.ZIP_LZMA: 8}
"""How many bytes of the usual compression take as long as one of these."""

_PIECE = 2**16
_SLOW_PIECE = 2**12
"""Bytes taken from a member at once. LZMA unpacks in one go what it is given: zeros a few thousand times."""
_LOCAL_HEADER = 30


class MemberError(OSError):
    """A member that cannot be read, as a phrase; an OSError, like any other file that cannot be."""

    def __init__(self, phrase: Phrase) -> None:
        self.phrase = phrase
        super().__init__(phrase.code)


def is_zip(path: Path, head: bytes) -> bool:
    """Whether a file is a zip, or the beginning of one that is cut."""
    return head[:4] in (b"PK\x03\x04", b"PK\x05\x06") or zipfile.is_zipfile(path)


@contextmanager
def open_zip(path: Path) -> Iterator[Iterator[Source]]:
    """The files in a zip, sorted by name; it stays open until the block ends.

    Raises:
        NoSeriesError: damaged as a whole, or all of it encrypted.
        UnsafeInputError: members that leave it or are links, too many of them, or too large.
    """
    try:
        stream = path.open("rb")
    except OSError as error:
        raise NoSeriesError("file_closed", file=path.name, reason=cause(error)) from error
    with stream, _read_directory(stream, path.name) as archive:
        yield _sources(archive, path.name, stream.seek(0, io.SEEK_END))


def _read_directory(stream: BinaryIO, name: str) -> zipfile.ZipFile:
    """The zip with its directory, whose size is looked up first: Python reads all of it.

    The end record is read by the very function that `ZipFile` uses, private as it is: two readers that
    disagree about the directory would be a way past the limit.
    """
    try:
        end = zipfile._EndRecData(stream)  # type: ignore[attr-defined]
        size = end[zipfile._ECD_SIZE] if end else 0  # type: ignore[attr-defined]
        if limits.MAX_DIRECTORY_BYTES < size <= stream.seek(0, io.SEEK_END):
            raise too_many_files(name)
        return zipfile.ZipFile(stream)
    except HemxError:
        raise
    except Exception as error:  # a damaged zip makes zipfile raise nearly anything
        raise NoSeriesError("zip_damaged", file=name, reason=cause(error)) from error


def _sources(archive: zipfile.ZipFile, zip_name: str, zip_bytes: int) -> Iterator[Source]:
    members = [one for one in archive.infolist() if not one.filename.endswith("/")]
    if len(members) > limits.MAX_FILES:
        raise too_many_files(zip_name)
    for member in members:
        _check_place(member)
    overlapping = _overlapping(archive)
    wrong = {id(one): _find_wrong(one, overlapping) for one in members}
    right = [one for one in members if wrong[id(one)] is None]
    if members and not right:
        raise wrong[id(members[0])] or AssertionError
    _check_total(right, zip_name, zip_bytes)
    for member in sorted(members, key=lambda member: member.filename):
        error = wrong[id(member)]
        if error is not None:
            yield broken_source(member.filename, MemberError(error.phrase))
        else:
            yield _source(archive, member)


def _check_place(member: zipfile.ZipInfo) -> None:
    name = PurePosixPath(member.filename.replace("\\", "/"))
    if name.is_absolute() or ".." in name.parts or ":" in "".join(name.parts[:1]):
        raise UnsafeInputError("zip_leaves", file=member.filename)
    if stat.S_ISLNK(member.external_attr >> 16):
        raise UnsafeInputError("zip_link", file=member.filename)


def _overlapping(archive: zipfile.ZipFile) -> set[int]:
    """Members (by `id`) that reach into the next one, or into the directory."""
    ordered = sorted(archive.infolist(), key=lambda member: member.header_offset)
    ends = [*(one.header_offset for one in ordered[1:]), archive.start_dir][: len(ordered)]
    return {
        id(member)
        for member, end in zip(ordered, ends, strict=True)
        if member.header_offset + _LOCAL_HEADER + len(member.orig_filename) + member.compress_size
        > end
    }


def _find_wrong(member: zipfile.ZipInfo, overlapping: set[int]) -> HemxError | None:
    """Why a member is not unpacked; None where it can be tried."""
    if member.flag_bits & 0x1:
        return NoSeriesError("zip_encrypted", file=member.filename)
    if member.file_size > limits.MAX_MEMBER_BYTES:
        return _too_big(member.filename, member.file_size, limits.MAX_MEMBER_BYTES)
    if id(member) in overlapping:
        return UnsafeInputError("zip_overlaps", file=member.filename)
    return None


def _check_total(members: Sequence[zipfile.ZipInfo], zip_name: str, zip_bytes: int) -> None:
    total = sum(member.file_size * _SLOW.get(member.compress_type, 1) for member in members)
    most = min(limits.MAX_ARCHIVE_BYTES, max(limits.FREE_BYTES, limits.MAX_RATIO * zip_bytes))
    if total > most:
        raise _too_big(zip_name, total, most)


def _source(archive: zipfile.ZipFile, member: zipfile.ZipInfo) -> Source:
    def verify() -> None:
        with _unpacking():
            with _packed(archive, member) as stream:
                found = sum(map(len, iter(lambda: stream.read(_piece_of(member)), b"")))
            if found != member.file_size:
                raise EOFError

    return Source(
        member.filename,
        lambda: _open(archive, member),
        unpacked_bytes=member.file_size,
        verify=verify,
    )


def _open(archive: zipfile.ZipFile, member: zipfile.ZipInfo) -> BinaryIO:
    with _unpacking():
        unpacked = _Unpacked(_packed(archive, member), member)
    return io.BufferedReader(unpacked)


def _packed(archive: zipfile.ZipFile, member: zipfile.ZipInfo) -> Any:
    """A member's stream; bzip2, which makes 300 MB of 300 bytes, gives no more than is declared."""
    stream: Any = archive.open(member)
    if member.compress_type == zipfile.ZIP_BZIP2:
        stream._decompressor = _Bounded(stream._decompressor, member.file_size)
    return stream


class _Bounded:
    """A decompressor of bzip2 as zipfile uses it, which stops where the member must end."""

    def __init__(self, inner: bz2.BZ2Decompressor, most: int) -> None:
        self._inner, self._left = inner, most

    @property
    def eof(self) -> bool:
        return self._inner.eof

    def decompress(self, data: bytes) -> bytes:
        # Once the input is used up, one byte more than declared tells that it is too long.
        found = self._inner.decompress(data, max(1, self._left))
        self._left -= len(found)
        return found


class _Unpacked(io.RawIOBase):
    """A member, unpacked as far as it is read. That part is held, so that it can be read again."""

    def __init__(self, packed: Any, member: zipfile.ZipInfo) -> None:
        super().__init__()
        self._packed, self._size, self._piece = packed, member.file_size, _piece_of(member)
        self._held, self._at = bytearray(), 0

    def readable(self) -> bool:
        return True

    def seekable(self) -> bool:
        return True

    def seek(self, offset: int, whence: int = io.SEEK_SET) -> int:
        self._at = max(0, offset + (0, self._at, self._size)[whence])
        return self._at

    def readinto(self, buffer: Any) -> int:
        until = min(self._at + len(buffer), self._size)
        with _unpacking():
            while len(self._held) < until:
                piece = self._packed.read(self._piece)
                if not piece:
                    raise EOFError
                self._held += piece
        found = self._held[self._at : until]
        buffer[: len(found)] = found
        self._at += len(found)
        return len(found)

    def close(self) -> None:
        self._packed.close()
        self._held = bytearray()
        super().close()


def _piece_of(member: zipfile.ZipInfo) -> int:
    return _SLOW_PIECE if member.compress_type in _SLOW else _PIECE


@contextmanager
def _unpacking() -> Iterator[None]:
    try:
        yield
    except (
        Exception
    ) as error:  # a damaged member makes zipfile and its decoders raise nearly anything
        raise MemberError(Phrase("zip.member", reason=cause(error))) from error


def too_many_files(name: str, most: int | None = None) -> UnsafeInputError:
    """More than so many in one input, `MAX_FILES` by default."""
    return UnsafeInputError("too_many_files", most=most or limits.MAX_FILES, file=name)


def _too_big(name: str, size: int, limit: int) -> UnsafeInputError:
    return UnsafeInputError("too_big", file=name, mib=size / 2**20, most_mib=limit / 2**20)
