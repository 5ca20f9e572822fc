"""Several sources of studies as one."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from itertools import chain
from typing import Any

from hemx_core.data.study import PreparedStudy, StudySource, check_split
from hemx_core.errors import DatasetError
from hemx_core.imaging.spec import PreprocessingSpec


class CombinedSource:
    """A `StudySource` over others, in their order.

    Args:
        sources: at least one, all prepared in the same way.
    Raises:
        DatasetError: no source, or sources that were prepared differently.
    """

    def __init__(self, sources: Sequence[StudySource]) -> None:
        if not sources:
            raise DatasetError(
                "no source of studies", expected="at least one", remedy="name a source"
            )
        self._sources = tuple(sources)
        for source in self._sources[1:]:
            if source.preprocessing != self.preprocessing:
                raise DatasetError(
                    f"{source.description.get('name')} was prepared with {source.preprocessing}",
                    expected=f"the preprocessing of the first source, {self.preprocessing}",
                    remedy="build the sources with one preprocessing specification",
                )

    @property
    def preprocessing(self) -> PreprocessingSpec:
        """How the slices of all sources were prepared."""
        return self._sources[0].preprocessing

    @property
    def description(self) -> dict[str, Any]:
        """Names and licences joined, counts summed, and every source's own description."""
        parts = [source.description for source in self._sources]
        licences = dict.fromkeys(str(part.get("licence", "not stated")) for part in parts)
        return {
            "name": " + ".join(str(part.get("name", "unnamed")) for part in parts),
            "licence": "; ".join(licences),
            "patients": sum(int(part.get("patients", 0)) for part in parts),
            "sources": parts,
        }

    def patients(self, split: str) -> Sequence[PreparedStudy]:
        """Studies of a split of every source, one source after the other.

        Raises:
            DatasetError: no such split.
        """
        check_split(split)
        return _Chained([source.patients(split) for source in self._sources])


class _Chained(Sequence[PreparedStudy]):
    """Sequences one after the other; nothing is read before it is asked for."""

    def __init__(self, parts: Sequence[Sequence[PreparedStudy]]) -> None:
        self._parts = tuple(parts)

    def __len__(self) -> int:
        return sum(len(part) for part in self._parts)

    def __iter__(self) -> Iterator[PreparedStudy]:
        return chain.from_iterable(self._parts)

    def __getitem__(self, index: int) -> PreparedStudy:  # type: ignore[override]
        place = index + len(self) if index < 0 else index
        if place >= 0:
            for part in self._parts:
                if place < len(part):
                    return part[place]
                place -= len(part)
        raise IndexError(index)
