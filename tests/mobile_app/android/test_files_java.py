"""The calls into Java, against objects that answer as Android's do."""

from __future__ import annotations

import os
from collections.abc import Callable
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from mobile_app.android.files import (
    COLUMNS,
    FOLDER_MIME,
    REQUEST,
    RESULT_OK,
    AndroidClasses,
    AndroidDocuments,
    Document,
    JavaResolver,
)
from mobile_app.errors import AccessError

ROWS = {
    "tree/7/document/7": [("7", "card", FOLDER_MIME, None)],
    "tree/7/document/7/children": [("8", "IM1", "application/dicom", 5), ("9", None, None, None)],
}


class JavaError(Exception):
    """What pyjnius raises."""

    def __init__(self, classname: str) -> None:
        super().__init__(classname)
        self.classname = classname


class FakeUri(str):
    def toString(self) -> str:
        return str(self)


class FakeCursor:
    def __init__(self, rows: list[tuple[Any, ...]]) -> None:
        self.rows, self.place, self.closed = rows, -1, False

    def moveToNext(self) -> bool:
        self.place += 1
        return self.place < len(self.rows)

    def getString(self, column: int) -> str | None:
        return self.rows[self.place][column]

    def getLong(self, column: int) -> int:
        return self.rows[self.place][column]

    def isNull(self, column: int) -> bool:
        return self.rows[self.place][column] is None

    def close(self) -> None:
        self.closed = True


class FakeResolver:
    """android.content.ContentResolver."""

    def __init__(self, file: Path) -> None:
        self.file = file
        self.raises: Exception | None = None
        self.cursors: list[FakeCursor] = []

    def query(self, uri: FakeUri, columns: list[str], *rest: None) -> FakeCursor | None:
        if self.raises:
            raise self.raises
        assert columns == list(COLUMNS)
        if uri not in ROWS:
            return None
        self.cursors.append(FakeCursor(ROWS[uri]))
        return self.cursors[-1]

    def openFileDescriptor(self, _uri: FakeUri, mode: str) -> Any:
        assert mode == "r"
        if self.raises:
            raise self.raises
        number = os.open(self.file, os.O_RDONLY)
        return SimpleNamespace(detachFd=lambda: number)


class FakeIntent:
    ACTION_OPEN_DOCUMENT_TREE, ACTION_OPEN_DOCUMENT = "tree", "document"
    CATEGORY_OPENABLE, FLAG_GRANT_READ_URI_PERMISSION = "openable", 1

    def __init__(self, action: str) -> None:
        self.action, self.told = action, []

    def addCategory(self, category: str) -> None:
        self.told.append(category)

    def setType(self, kind: str) -> None:
        self.told.append(kind)

    def addFlags(self, flags: int) -> None:
        self.told.append(flags)


class FakeAndroid:
    """Activity and callbacks of python-for-android."""

    def __init__(self, folder: Path) -> None:
        self.bound: list[Callable[..., None]] = []
        self.intents: list[FakeIntent] = []
        self.raises: Exception | None = None
        (folder / "file").write_bytes(b"DICOM")
        self.resolver = FakeResolver(folder / "file")
        self.cache = folder / "cache"
        self.cache.mkdir()
        self.java = AndroidClasses(
            activity=self,
            intent=FakeIntent,
            uri=SimpleNamespace(parse=FakeUri),
            contract=SimpleNamespace(
                getTreeDocumentId=lambda uri: uri.split("/")[1],
                getDocumentId=lambda uri: uri.split("/")[3],
                buildDocumentUriUsingTree=lambda tree, one: FakeUri(f"{tree}/document/{one}"),
                buildChildDocumentsUriUsingTree=lambda tree, one: FakeUri(
                    f"{tree}/document/{one}/children"
                ),
            ),
            java_error=JavaError,
            bind=lambda on_activity_result: self.bound.append(on_activity_result),
            unbind=lambda on_activity_result: self.bound.remove(on_activity_result),
        )

    def getContentResolver(self) -> FakeResolver:
        return self.resolver

    def getCacheDir(self) -> Any:
        return SimpleNamespace(getAbsolutePath=lambda: str(self.cache))

    def startActivityForResult(self, intent: FakeIntent, request: int) -> None:
        if self.raises:
            raise self.raises
        assert request == REQUEST
        self.intents.append(intent)

    def answer(self, result: int, uri: str | None, request: int = REQUEST) -> None:
        data = None if uri is None else SimpleNamespace(getData=lambda: FakeUri(uri))
        for one in list(self.bound):
            one(request, result, data)


@pytest.fixture
def android(tmp_path: Path) -> FakeAndroid:
    return FakeAndroid(tmp_path)


def _picked(android: FakeAndroid, *, tree: bool) -> list[str | None]:
    picked: list[str | None] = []
    documents = AndroidDocuments(android.java, schedule=lambda call: call(0.0))
    documents.pick(tree=tree, on_picked=picked.append)
    return picked


def test_the_picked_tree_is_told_once(android: FakeAndroid) -> None:
    picked = _picked(android, tree=True)
    assert android.intents[0].action == "tree"
    android.answer(RESULT_OK, "tree/1", request=5)
    assert picked == []
    android.answer(RESULT_OK, "tree/7")
    android.answer(RESULT_OK, "tree/8")
    assert picked == ["tree/7"]
    assert android.bound == []


def test_a_file_may_be_of_any_type(android: FakeAndroid) -> None:
    _picked(android, tree=False)
    assert android.intents[0].action == "document"
    assert android.intents[0].told == ["openable", "*/*", 1]


def test_going_back_picks_nothing(android: FakeAndroid) -> None:
    picked = _picked(android, tree=True)
    android.answer(0, None)
    assert picked == [None]


def test_a_device_without_a_picker(android: FakeAndroid) -> None:
    android.raises = JavaError("android.content.ActivityNotFoundException")
    with pytest.raises(AccessError, match="no file picker"):
        _picked(android, tree=True)
    assert android.bound == []


def test_a_new_folder_sweeps_what_a_killed_import_left(android: FakeAndroid) -> None:
    documents = AndroidDocuments(android.java, schedule=lambda call: call(0.0))
    first = Path(documents.make_folder())
    (first / "IM1").write_bytes(b"x")
    assert first.parent == android.cache
    second = Path(documents.make_folder())
    assert not first.exists()
    assert second.is_dir()


def test_a_tree_and_what_it_holds(android: FakeAndroid) -> None:
    resolver = JavaResolver(android.java)
    top = resolver.root("tree/7", tree=True)
    assert top == Document("tree/7/document/7", "card", FOLDER_MIME, 0)
    assert resolver.children(top) == [
        Document("tree/7/document/8", "IM1", "application/dicom", 5),
        Document("tree/7/document/9", "", "", 0),
    ]
    assert all(one.closed for one in android.resolver.cursors)


def test_a_descriptor_is_ours_to_read_and_close(android: FakeAndroid) -> None:
    number = JavaResolver(android.java).open(Document("tree/7/document/8", "IM1", "", 5))
    with os.fdopen(number, "rb") as stream:
        assert stream.read() == b"DICOM"


def test_javas_errors_are_oserrors(android: FakeAndroid) -> None:
    resolver, one = JavaResolver(android.java), Document("tree/7/document/8", "IM1", "", 5)
    android.resolver.raises = JavaError("java.lang.SecurityException")
    with pytest.raises(PermissionError):
        resolver.open(one)
    android.resolver.raises = JavaError("java.io.FileNotFoundException")
    with pytest.raises(OSError, match="FileNotFoundException"):
        resolver.root("tree/7", tree=True)
    android.resolver.raises = None
    with pytest.raises(FileNotFoundError):
        resolver.root("gone", tree=False)
