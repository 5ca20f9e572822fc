"""What one input may cost: numbers and sizes, and a count of the work while its headers are read.

A real study stays far below all of them; an input that does not is refused before the work is done.
"""

from __future__ import annotations

import io
import sys
from dataclasses import dataclass
from typing import BinaryIO

from hemx_core.errors import UnsafeInputError

MAX_FILES = 20_000
"""Files looked at under one path; more is an archive, not a study."""
MAX_IMAGES = 10_000
"""DICOM files of one input; a perfusion study has up to 8,000."""
MAX_DEPTH = 64
"""Folders inside each other; a medium by the standard has 8, a hospital's export 20."""
MAX_ARCHIVE_BYTES = 4 * 2**30
"""Sum of the uncompressed sizes of a zip's members."""
MAX_MEMBER_BYTES = 2**30
"""Uncompressed size of one zip member; members are held in memory one at a time."""
MAX_DIRECTORY_BYTES = 8 * 2**20
"""Size of a zip's own directory: 400 bytes for each of `MAX_FILES`; Python needs 15 times as much."""
FREE_BYTES, MAX_RATIO = 256 * 2**20, 50
"""What any zip may unpack to, and how many times its own size where that is more. CT images get two to
four times smaller, drawn ones twenty times; deflate makes zeros a thousand times smaller."""
MAX_HEADER_BYTES = 64 * 2**20
"""Where the pixels of a file begin at the latest; 2,000 frames take 6 MiB."""
MAX_INFLATED_BYTES = 128 * 2**20
"""Size to which one file of the deflated transfer syntax may inflate."""
MAX_FRAMES = 10_000
"""Frames of one file; a head has up to 700."""
MAX_READS, MAX_ITEMS = 1_000_000, 100_000
"""Reads that one file's header may take, two for each element, and items of all its sequences; a frame
takes up to 80 reads and 10 items, a record of a DICOMDIR 30 and one."""
READS_FOR_ALL, READS_FOR_ONE = 2_000_000, 200
"""Reads that an input may take: so many, and so many more for each of its files."""
READS_OF_ITEM = 8
"""An item of a sequence takes as long as so many reads."""
COMPARED_FOR_ALL, COMPARED_FOR_ONE = 4_000, 4
"""Comparisons of sets of slices, to tell scans apart and to join them: so many, and so many more for each
slice. Files of nothing in common would take the square of their number."""
INFLATED_FOR_ALL = 2 * 2**30
"""Bytes to which the deflated files of one input may inflate while its headers are read."""
ITEM_TAGS = (b"\xfe\xff\x00\xe0", b"\xff\xfe\xe0\x00")
"""What an item of a sequence begins with, little and big endian."""


class TooMuchError(ValueError):
    """A file takes more than it may."""


@dataclass(slots=True, kw_only=True)
class Work:
    """What the headers of an input have taken so far, to be shared by its files and its slices.

    Args:
        name: of the input.
    """

    name: str
    files: int = 0
    cost: int = 0
    inflated_bytes: int = 0
    slices: int = 0
    compared: int = 0

    def check(self) -> None:
        """Refuse the input once it has taken more than its files explain.

        Raises:
            UnsafeInputError: it has.
        """
        most = READS_FOR_ALL + READS_FOR_ONE * self.files
        if self.cost > most or self.inflated_bytes > INFLATED_FOR_ALL:
            raise UnsafeInputError("too_much_work", name=self.name)

    def compare(self, sets: int = 1) -> None:
        """Count comparisons of sets of slices.

        Raises:
            UnsafeInputError: more than the slices explain.
        """
        self.compared += sets
        if self.compared > COMPARED_FOR_ALL + COMPARED_FOR_ONE * self.slices:
            raise UnsafeInputError("too_much_work", name=self.name)


class Metered:
    """A stream as pydicom reads it, which refuses to go on beyond the limits of one file.

    Args:
        stream: seekable, at its start.
        most_bytes: how much may be read in all; and how far, in a stream that is longer.
        anywhere: it may be read from any place.
    """

    def __init__(self, stream: BinaryIO, most_bytes: int, *, anywhere: bool = False) -> None:
        self.tell, self.close = stream.tell, stream.close
        self._read, self._seek, self._left = stream.read, stream.seek, most_bytes
        self._farthest = sys.maxsize
        if not anywhere:
            if stream.seek(0, io.SEEK_END) > most_bytes:
                self._farthest = most_bytes
            stream.seek(0)
        self.reads = self.items = 0

    @property
    def cost(self) -> int:
        """What the file has taken, as a number of reads; one file alone never takes all."""
        return min(self.reads + READS_OF_ITEM * self.items, MAX_READS)

    def read(self, size: int = -1) -> bytes:
        """Read on.

        Raises:
            TooMuchError: the file has taken too much.
        """
        left = self._left
        data = self._read(size if 0 <= size <= left else left + 1)
        self._left = left - len(data)
        self.reads += 1
        if len(data) >= 8:
            # Of a sequence whose length is given all items come at once, or it may be skipped.
            self.items += sum(map(data.count, ITEM_TAGS))
        if self._left < 0 or self.reads > MAX_READS or self.items > MAX_ITEMS:
            raise TooMuchError
        return data

    def seek(self, offset: int, whence: int = io.SEEK_SET) -> int:
        """Go to a place.

        Raises:
            TooMuchError: it is too far; what lies before it would have to be unpacked.
        """
        if whence == io.SEEK_SET and offset > self._farthest:
            raise TooMuchError
        return self._seek(offset, whence)
