"""A label for each imported series: what its row says of it, and a hash of every file.

    <folder>/labels/<series folder>.json

From labels and folders the studies are found again where the database is lost; by a label's hashes a file
that is missing, zeroed or another one is noticed before a slice of it is shown.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from datetime import datetime
from pathlib import Path
from typing import Any

from hemx_core.errors import OutputError
from hemx_core.files import write_whole
from hemx_core.imaging.volume import SeriesIdentity
from mobile_app.errors import DamagedStoreError
from mobile_app.store._encode import digest, from_json, to_json
from mobile_app.store._files import FileHash, folder_hash, hash_file, is_study
from mobile_app.store.records import Study

LABELS = "labels"
MOST_BYTES = 64 << 20
"""A label of 20,000 files has some 3 MB."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Label:
    """What is known of a series without the database.

    Args:
        folder: its files, relative to the studies.
        series: what to give the reader as `series`; "" lets it choose.
        identity: from the headers.
        slices: of the series.
        imported_at: when it was copied; UTC.
        files: name to size and hash.
    """

    folder: str
    series: str
    identity: SeriesIdentity
    slices: int
    imported_at: datetime
    files: Mapping[str, FileHash]

    @property
    def sha256(self) -> str:
        """As the study's row has it."""
        return folder_hash(one.sha256 for one in self.files.values())

    @property
    def bytes(self) -> int:
        """Of all files together."""
        return sum(one.bytes for one in self.files.values())


def place(root: Path, folder: str) -> Path:
    """Where the label of a series folder lies; `root` is the app's folder."""
    return root / LABELS / f"{folder}.json"


def write(root: Path, label: Label) -> None:
    """Write a label whole, for its owner only, on the medium when this returns.

    Raises:
        OSError: the system refuses.
    """
    plain: dict[str, Any] = {
        "folder": label.folder,
        "series": label.series,
        "identity": replace(label.identity, source=""),
        "slices": label.slices,
        "imported_at": label.imported_at.isoformat(),
        "files": {name: [one.bytes, one.sha256] for name, one in sorted(label.files.items())},
    }
    text = to_json(plain)
    (root / LABELS).mkdir(mode=0o700, exist_ok=True)
    whole = to_json({"label": json.loads(text), "sha256": digest([text])})
    try:
        write_whole(place(root, label.folder), whole, durable=True, mode=0o600)
    except OutputError as error:
        raise error.__cause__ if isinstance(error.__cause__, OSError) else error from error


def read(root: Path, folder: str) -> Label | None:
    """The label of a series folder; None where there is none, or it is not what was written."""
    path = place(root, folder)
    try:
        if not path.is_file() or path.stat().st_size > MOST_BYTES:
            return None
        whole = json.loads(path.read_bytes())
        plain = whole["label"]
        if digest([to_json(plain)]) != whole["sha256"] or plain["folder"] != folder:
            return None
        return Label(
            folder=folder,
            series=str(plain["series"]),
            identity=from_json(SeriesIdentity, plain["identity"]),
            slices=int(plain["slices"]),
            imported_at=datetime.fromisoformat(plain["imported_at"]),
            files={
                str(name): FileHash(bytes=int(size), sha256=str(sha256))
                for name, (size, sha256) in plain["files"].items()
            },
        )
    except (OSError, ValueError, KeyError, TypeError, AttributeError, RecursionError):
        return None
    except DamagedStoreError:
        return None


def read_all(root: Path) -> dict[str, Label]:
    """All labels that are as they were written, by folder."""
    stems = [path.stem for path in sorted((root / LABELS).glob("*.json"))]
    found = {stem: read(root, stem) for stem in stems if is_study(stem)}
    return {stem: label for stem, label in found.items() if label is not None}


def remove(root: Path, folder: str) -> None:
    """Delete a label, if it is there; never fails."""
    try:
        place(root, folder).unlink(missing_ok=True)
    except OSError:
        return


def check(
    studies: Path,
    label: Label,
    progress: Callable[[int, int], None] = lambda _done, _total: None,
) -> tuple[str, ...]:
    """Hash the files of a series.

    Args:
        studies: the folder of all series.
        label: what they must be.
        progress: told after each file; may raise to cancel.
    Returns:
        Names of files that lie there and do not belong there.
    Raises:
        DamagedStoreError: a file is missing or is not what was copied.
    """
    folder = studies / label.folder
    missing, changed = [], []
    for done, (name, wanted) in enumerate(sorted(label.files.items()), start=1):
        try:
            # The size first: another file of another size need not be read.
            same = (folder / name).stat().st_size == wanted.bytes and hash_file(
                folder / name
            ) == wanted
            if not same:
                changed.append(name)
        except FileNotFoundError:
            missing.append(name)
        except OSError:
            changed.append(name)
        progress(done, len(label.files))
    if missing or changed:
        raise files_damaged(missing, changed, len(label.files))
    return tuple(sorted({path.name for path in folder.iterdir()} - set(label.files)))


def make(
    studies: Path,
    study: Study,
    sha256: str,
    progress: Callable[[int, int], None] = lambda _done, _total: None,
) -> Label:
    """The label of a study that has none, once its files are what its row says of them.

    Args:
        studies: the folder of all series.
        study: whose files.
        sha256: of its row, see `folder_hash`.
        progress: told after each file; may raise to cancel.
    Raises:
        DamagedStoreError: a file is missing, or is not what was copied.
    """
    folder, found = studies / study.folder, {}
    try:
        names = sorted(path.name for path in folder.iterdir() if path.suffix == ".dcm")
        for done, name in enumerate(names, start=1):
            found[name] = hash_file(folder / name)
            progress(done, len(names))
    except OSError:
        found = {}
    label = Label(
        folder=study.folder,
        series=study.series or "",
        identity=study.identity,
        slices=study.slices,
        imported_at=study.imported_at,
        files=found,
    )
    if label.sha256 != sha256:
        missing = max(0, study.files - len(found))
        raise files_damaged(["?"] * missing, [] if missing else ["?"], study.files)
    return label


def files_damaged(missing: list[str], changed: list[str], count: int) -> DamagedStoreError:
    """Files of a study are not what was copied; their names are numbers."""
    return DamagedStoreError(
        "files_damaged",
        missing=len(missing) or None,
        changed=len(changed) or None,
        count=count,
        files=[name for name in missing + changed if name != "?"][:5],
    )
