"""The way out on Android, with the Java side in memory."""

from __future__ import annotations

import os
import sys
from collections.abc import Callable
from pathlib import Path
from types import ModuleType, SimpleNamespace
from typing import Any

import pytest

from hemx_core.errors import OutputError
from mobile_app.android.share import REQUEST, AndroidDocuments, ExportFile, deliver

FILES = (ExportFile("a.pdf", b"one"), ExportFile("b.dcm", b"two" * 100_000))


class FakeDocuments:
    """Documents are files in a folder; `fails` names what goes wrong at the second one."""

    def __init__(self, folder: Path, fails: str = "") -> None:
        self.folder, self.fails, self.made = folder, fails, []

    def ask_folder(self, chosen: Callable[[Any], None]) -> None:
        chosen("tree:downloads")

    def create(self, tree: str, mime: str, name: str) -> Path | None:
        assert tree == "tree:downloads"
        if self.fails == "create" and self.made:
            return None
        self.made.append((mime, name))
        path = self.folder / name
        path.touch()
        return path

    def open(self, document: Path) -> int:
        if self.fails == "open" and len(self.made) > 1:
            raise RuntimeError("JVM exception occurred")
        return os.open(document, os.O_WRONLY)

    def delete(self, document: Path) -> None:
        document.unlink()


def test_all_documents_are_written_with_their_type(tmp_path: Path) -> None:
    documents = FakeDocuments(tmp_path)
    assert deliver(documents, "tree:downloads", FILES) == 2
    assert documents.made == [("application/pdf", "a.pdf"), ("application/dicom", "b.dcm")]
    assert [(tmp_path / one.name).read_bytes() for one in FILES] == [one.content for one in FILES]


@pytest.mark.parametrize("fails", ["create", "open"])
def test_or_none(tmp_path: Path, fails: str) -> None:
    with pytest.raises(OutputError, match="did not take the files"):
        deliver(FakeDocuments(tmp_path, fails), "tree:downloads", FILES)
    assert list(tmp_path.iterdir()) == []


class Java:
    """Android's classes and activity, as far as they are called, with a log of the calls."""

    ACTION_OPEN_DOCUMENT_TREE = "open tree"

    def __init__(self) -> None:
        self.calls: list[Any] = []
        self.bound: Callable[..., None] | None = None

    def __call__(self, *arguments: Any) -> Any:
        return arguments

    def __getattr__(self, name: str) -> Any:
        def call(*arguments: Any) -> Any:
            self.calls.append((name, *arguments))
            if name == "openFileDescriptor":
                return SimpleNamespace(detachFd=lambda: 7)
            return self if name == "getContentResolver" else f"{name} result"

        return call

    def bind(self, *, on_activity_result: Callable[..., None]) -> None:
        self.bound = on_activity_result

    def unbind(self, *, on_activity_result: Callable[..., None]) -> None:
        assert on_activity_result == self.bound
        self.bound = None


@pytest.fixture
def java(monkeypatch: pytest.MonkeyPatch) -> Java:
    java = Java()
    android, jnius = ModuleType("android"), ModuleType("jnius")
    android.activity = android.mActivity = java
    jnius.autoclass = lambda _name: java
    monkeypatch.setitem(sys.modules, "android", android)
    monkeypatch.setitem(sys.modules, "jnius", jnius)
    return java


def test_the_chooser_answers_once_and_to_its_own_request(java: Java) -> None:
    documents, chosen = AndroidDocuments(), []
    documents.ask_folder(chosen.append)
    assert java.calls == [("startActivityForResult", ("open tree",), REQUEST)]
    answer = java.bound
    answer(1, -1, SimpleNamespace(getData=lambda: "other"))
    assert chosen == []
    answer(REQUEST, -1, SimpleNamespace(getData=lambda: "tree"))
    answer(REQUEST, -1, SimpleNamespace(getData=lambda: "tree"))
    assert chosen == ["tree"]
    assert java.bound is None


def test_going_back_chooses_nothing(java: Java) -> None:
    documents, chosen = AndroidDocuments(), []
    documents.ask_folder(chosen.append)
    java.bound(REQUEST, 0, None)
    assert chosen == [None]


def test_documents_are_made_below_the_tree(java: Java) -> None:
    documents = AndroidDocuments()
    assert documents.create("tree", "application/pdf", "a.pdf") == "createDocument result"
    assert documents.open("uri") == 7
    documents.delete("uri")
    names = [call[0] for call in java.calls]
    assert [one for one in names if one != "getContentResolver"] == [
        "getTreeDocumentId",
        "buildDocumentUriUsingTree",
        "createDocument",
        "openFileDescriptor",
        "deleteDocument",
    ]
    created = next(call for call in java.calls if call[0] == "createDocument")
    assert created[2:] == ("buildDocumentUriUsingTree result", "application/pdf", "a.pdf")
