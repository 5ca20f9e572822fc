from __future__ import annotations

import errno
import os
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from hemx_core.errors import HemxError, UnsafeInputError
from hemx_core.imaging.reader import list_series
from mobile_app.android import files as android_files
from mobile_app.android.files import FOLDER_MIME, Document, fetch_work, safe_name
from mobile_app.errors import AccessError, StoreFullError
from mobile_app.work.jobs import Jobs, JobState, Outcome
from tests.factories import write_ct_series


class FakeResolver:
    """A provider over a real folder: URIs say nothing of paths, as Android's."""

    def __init__(self, top: Path) -> None:
        self.paths = {"content://0": top}
        self.mimes: dict[str, str] = {}
        self.opened: list[str] = []
        self.fails: Callable[[Document], None] = lambda _document: None

    def root(self, uri: str, *, tree: bool) -> Document:
        assert tree == self.paths[uri].is_dir()
        return self._document(uri)

    def children(self, document: Document) -> list[Document]:
        found = []
        for path in sorted(self.paths[document.uri].iterdir()):
            uri = f"content://{len(self.paths)}"
            self.paths[uri] = path
            found.append(self._document(uri))
        return found

    def open(self, document: Document) -> int:
        self.fails(document)
        self.opened.append(document.name)
        return os.open(self.paths[document.uri], os.O_RDONLY)

    def _document(self, uri: str) -> Document:
        path = self.paths[uri]
        mime = FOLDER_MIME if path.is_dir() else "application/octet-stream"
        return Document(uri=uri, name=path.name, mime=mime, size=0)


class FakeDocuments:
    """The device's side of an import."""

    def __init__(self, resolver: Any, folder: Path) -> None:
        self.resolver, self.folder = resolver, folder

    def make_folder(self) -> str:
        self.folder.mkdir()
        return str(self.folder)


def _run(documents: FakeDocuments, *, tree: bool, **callbacks: Any) -> Outcome[Path]:
    """Run the copy as a job, its callbacks in this thread."""
    posted: list[Callable[[], None]] = []
    jobs = Jobs(posted.append, progress_seconds=0)
    ended: list[Outcome[Path]] = []
    work = fetch_work(documents, "content://0", Path(documents.make_folder()), tree=tree)
    jobs.run(work, on_done=ended.append, **callbacks)
    while not ended:
        while posted:
            posted.pop(0)()
    jobs.shutdown()
    return ended[0]


def test_a_tree_is_copied_with_its_names_and_reads_as_the_study(tmp_path: Path) -> None:
    write_ct_series(tmp_path / "card" / "ST0" / "SE1")
    (tmp_path / "card" / "DICOMDIR.txt").write_text("x")
    told: list[tuple[str, int, int]] = []
    documents = FakeDocuments(FakeResolver(tmp_path / "card"), tmp_path / "copy")
    outcome = _run(documents, tree=True, on_progress=lambda *one: told.append(one))
    assert outcome.value == tmp_path / "copy"
    names = sorted(one.name for one in (tmp_path / "copy" / "ST0" / "SE1").iterdir())
    assert names == sorted(one.name for one in (tmp_path / "card" / "ST0" / "SE1").iterdir())
    assert [one.slices for one in list_series(outcome.value)] == [6]
    assert told[-1] == ("fetch", 7, 7)


def test_a_single_file_keeps_its_name(tmp_path: Path) -> None:
    (tmp_path / "study.zip").write_bytes(b"PK")
    documents = FakeDocuments(FakeResolver(tmp_path / "study.zip"), tmp_path / "copy")
    assert _run(documents, tree=False).value == tmp_path / "copy" / "study.zip"
    assert (tmp_path / "copy" / "study.zip").read_bytes() == b"PK"


def _failed(tmp_path: Path, fails: Callable[[Document], None]) -> HemxError:
    (tmp_path / "card").mkdir()
    for name in "ab":
        (tmp_path / "card" / name).write_bytes(b"x")
    resolver = FakeResolver(tmp_path / "card")
    resolver.fails = fails
    outcome = _run(FakeDocuments(resolver, tmp_path / "copy"), tree=True)
    assert not (tmp_path / "copy").exists(), "nothing of a patient may stay behind"
    assert outcome.error is not None
    return outcome.error


@pytest.mark.parametrize(
    ("error", "kind", "word"),
    [
        (PermissionError(errno.EACCES, "no"), AccessError, "does not let"),
        (OSError(errno.EIO, "pulled out"), AccessError, "pulled out"),
        (OSError(errno.ENOSPC, "full"), StoreFullError, "no room"),
    ],
)
def test_a_failure_on_the_way_is_told_and_leaves_nothing(
    tmp_path: Path, error: OSError, kind: type[HemxError], word: str
) -> None:
    def fails(document: Document) -> None:
        if document.name == "b":
            raise error

    found = _failed(tmp_path, fails)
    assert type(found) is kind
    assert word in str(found)
    assert found.remedy


def test_cancel_between_files_leaves_nothing(tmp_path: Path) -> None:
    write_ct_series(tmp_path / "card")
    resolver = FakeResolver(tmp_path / "card")
    documents = FakeDocuments(resolver, tmp_path / "copy")
    posted: list[Callable[[], None]] = []
    jobs = Jobs(posted.append)
    ended: list[Outcome[Path]] = []
    work = fetch_work(documents, "content://0", Path(documents.make_folder()), tree=True)
    resolver.fails = lambda document: job.cancel() if len(resolver.opened) == 2 else None
    job = jobs.run(work, on_done=ended.append)
    while not ended:
        while posted:
            posted.pop(0)()
    jobs.shutdown()
    assert ended[0].state is JobState.CANCELLED
    assert len(resolver.opened) == 3
    assert not (tmp_path / "copy").exists()


def test_a_whole_medium_is_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(android_files, "MOST_FILES", 1)
    assert isinstance(_failed(tmp_path, lambda _document: None), UnsafeInputError)


def test_too_many_bytes_are_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(android_files, "MOST_BYTES", 1)
    assert isinstance(_failed(tmp_path, lambda _document: None), UnsafeInputError)


def test_a_folder_that_holds_itself_ends(tmp_path: Path) -> None:
    (tmp_path / "card" / "sub").mkdir(parents=True)
    resolver = FakeResolver(tmp_path / "card")
    top = resolver.root("content://0", tree=True)
    children = resolver.children
    resolver.children = lambda document: [*children(document), top]
    assert _run(FakeDocuments(resolver, tmp_path / "copy"), tree=True).state is JobState.DONE


def test_two_documents_of_one_name_are_both_kept(tmp_path: Path) -> None:
    (tmp_path / "card").mkdir()
    (tmp_path / "card" / "a").write_bytes(b"1")
    resolver = FakeResolver(tmp_path / "card")
    children = resolver.children
    resolver.children = lambda document: children(document) * 2
    assert _run(FakeDocuments(resolver, tmp_path / "copy"), tree=True).state is JobState.DONE
    assert sorted(one.name for one in (tmp_path / "copy").iterdir()) == ["a", "a_2"]


@pytest.mark.parametrize(
    ("name", "safe"),
    [
        ("IM0001", "IM0001"),
        ("../../etc/passwd", "etcpasswd"),
        ("..", "unnamed"),
        ("", "unnamed"),
        ("a\0b\n", "ab"),
        ("頭部CT", "頭部CT"),
        ("x" * 300, "x" * 100),
    ],
)
def test_a_providers_name_stays_one_part_of_a_path(name: str, safe: str) -> None:
    assert safe_name(name) == safe
