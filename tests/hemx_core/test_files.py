"""Files and folders are there whole, or as they were, and nothing else is left."""

from __future__ import annotations

import os
import stat
from pathlib import Path
from typing import BinaryIO

import numpy as np
import pytest

from hemx_core import files
from hemx_core.errors import OutputError
from hemx_core.files import (
    Content,
    draft_folder,
    draft_place,
    publish_files,
    publish_folder,
    write_whole,
)


def names(folder: Path) -> list[str]:
    return sorted(path.name for path in folder.iterdir())


@pytest.mark.parametrize(
    ("content", "written"),
    [
        (b"\x00\x01", b"\x00\x01"),
        ("über\r\n", "über\r\n".encode()),
        (lambda stream: stream.write(b"streamed"), b"streamed"),
    ],
)
def test_bytes_text_and_what_fills_a_stream(
    tmp_path: Path, content: Content, written: bytes
) -> None:
    path = tmp_path / "new" / "folder" / "file"
    assert write_whole(path, content) == path
    assert path.read_bytes() == written
    assert names(path.parent) == ["file"]


def test_an_array_file_is_written_through_a_stream(tmp_path: Path) -> None:
    path = write_whole(tmp_path / "a.npz", lambda stream: np.savez(stream, a=np.arange(3)))
    with np.load(path) as stored:
        assert stored["a"].tolist() == [0, 1, 2]


@pytest.mark.parametrize("error", [OSError(28, "No space left on device"), KeyboardInterrupt()])
def test_what_fails_half_way_leaves_the_old_file_and_nothing_else(
    tmp_path: Path, error: BaseException
) -> None:
    path = tmp_path / "file"
    path.write_text("old", encoding="utf-8")

    def fill(stream: BinaryIO) -> None:
        stream.write(b"half")
        raise error

    with pytest.raises(OutputError if isinstance(error, OSError) else KeyboardInterrupt):
        write_whole(path, fill)
    assert path.read_text(encoding="utf-8") == "old"
    assert names(tmp_path) == ["file"]


def test_a_link_stays_one_and_its_file_is_replaced(tmp_path: Path) -> None:
    (tmp_path / "real").mkdir()
    (tmp_path / "link").symlink_to(Path("real") / "file")
    for text in ("new", "newer"):
        assert write_whole(tmp_path / "link", text) == tmp_path / "link"
        assert (tmp_path / "link").is_symlink()
        assert (tmp_path / "real" / "file").read_text(encoding="utf-8") == text
    assert names(tmp_path) == ["link", "real"]
    assert names(tmp_path / "real") == ["file"]


def test_a_name_that_is_too_long_is_told(tmp_path: Path) -> None:
    with pytest.raises(OutputError, match="File name too long"):
        write_whole(tmp_path / ("n" * 300), "")
    assert names(tmp_path) == []


def test_a_pipe_or_a_device_is_written_into_and_stays(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "pipe")
    (tmp_path / "link").symlink_to("pipe")
    reader = os.open(tmp_path / "pipe", os.O_RDONLY | os.O_NONBLOCK)
    try:
        for name in ("pipe", "link"):
            write_whole(tmp_path / name, "told", durable=True)
            assert os.read(reader, 10) == b"told"
    finally:
        os.close(reader)
    assert stat.S_ISFIFO((tmp_path / "pipe").stat().st_mode)
    assert names(tmp_path) == ["link", "pipe"]


def test_a_missing_folder_is_made_only_where_it_may_be(tmp_path: Path) -> None:
    with pytest.raises(OutputError, match="No such file"):
        write_whole(tmp_path / "gone" / "file", "", make_folder=False)
    assert names(tmp_path) == []


def test_the_systems_refusal_is_told_with_what_to_do(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("", encoding="utf-8")
    with pytest.raises(OutputError, match=r"x\.json cannot be written \(.*\)") as caught:
        write_whole(tmp_path / "file" / "x.json", "{}")
    assert caught.value.remedy


def test_a_private_file_is_never_wider_than_its_mode(tmp_path: Path) -> None:
    seen = []

    def fill(stream: BinaryIO) -> None:
        seen.append(stat.S_IMODE(os.fstat(stream.fileno()).st_mode))

    path = write_whole(tmp_path / "key", fill, mode=0o600)
    assert seen == [0o600]
    assert stat.S_IMODE(path.stat().st_mode) == 0o600


def test_an_ordinary_file_has_the_users_mode(tmp_path: Path) -> None:
    (tmp_path / "plain").write_text("", encoding="utf-8")
    path = write_whole(tmp_path / "file", "")
    assert path.stat().st_mode == (tmp_path / "plain").stat().st_mode


def test_durable_brings_file_and_name_to_the_medium_in_this_order(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    synced = []

    def fsync(handle: int) -> None:
        synced.append((stat.S_ISDIR(os.fstat(handle).st_mode), names(tmp_path)))

    monkeypatch.setattr(files.os, "fsync", fsync)
    write_whole(tmp_path / "file", "content")
    assert synced == []
    write_whole(tmp_path / "file", "content", durable=True)
    (of_file, _), (of_folder, there) = synced
    assert (of_file, of_folder, there) == (False, True, ["file"])


def test_a_draft_folder_goes_whatever_happens(tmp_path: Path) -> None:
    def fail() -> None:
        with draft_folder(tmp_path / "new") as draft:
            (draft / "file").write_text("", encoding="utf-8")
            raise ValueError("wrong")

    with pytest.raises(ValueError, match="wrong"):
        fail()
    assert names(tmp_path / "new") == []


def test_files_are_published_in_order(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    order: list[str] = []
    replace = Path.replace

    def told(self: Path, target: Path) -> Path:
        order.append(Path(target).name)
        return replace(self, target)

    monkeypatch.setattr(Path, "replace", told)
    with draft_folder(tmp_path) as draft:
        (draft / "sub").mkdir()
        for name in ("sub/a", "z", "index"):
            (draft / name).write_text(name, encoding="utf-8")
        paths = publish_files(draft, tmp_path / "out", ("sub/a", "z", "index"))
    assert order == ["a", "z", "index"]
    assert [path.read_text(encoding="utf-8") for path in paths] == ["sub/a", "z", "index"]


def test_new_files_go_again_where_the_next_cannot_be_moved(tmp_path: Path) -> None:
    out = tmp_path / "out"
    out.mkdir()
    (out / "known").write_text("old", encoding="utf-8")
    with draft_folder(tmp_path) as draft:
        for name in ("known", "new"):
            (draft / name).write_text("content", encoding="utf-8")
        with pytest.raises(OutputError):
            publish_files(draft, out, ("known", "new", "missing"))
    assert names(out) == ["known"]


def test_a_folder_replaces_the_one_before(tmp_path: Path) -> None:
    out = tmp_path / "out"
    for version in ("first", "second"):
        with draft_folder(tmp_path) as draft:
            made = draft / "out"
            made.mkdir()
            (made / version).write_text("", encoding="utf-8")
            publish_folder(made, out)
    assert names(out) == ["second"]
    assert names(tmp_path) == ["out"]


def test_the_folder_before_stays_where_the_new_one_cannot_be_moved(tmp_path: Path) -> None:
    out = tmp_path / "out"
    out.mkdir()
    (out / "old").write_text("", encoding="utf-8")
    with pytest.raises(OutputError):
        publish_folder(tmp_path / "missing", out)
    assert names(out) == ["old"]
    assert names(tmp_path) == ["out"]


def test_a_draft_lies_in_a_folder_that_is_there_and_beside_one_that_is_not(tmp_path: Path) -> None:
    """A folder that is there may be a medium of its own, to which nothing beside it can be renamed."""
    assert draft_place(tmp_path) == tmp_path
    assert draft_place(tmp_path / "new") == tmp_path
