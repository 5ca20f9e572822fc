"""Converted once and kept; what is missing or fails is a row, not a crash."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from benchmarks.harness.process import ChildError
from benchmarks.peers import prepare
from benchmarks.peers.contest import made_of
from benchmarks.peers.prepare import prepare_all, size_bytes
from benchmarks.peers.roster import FOLDED, ROSTER, SHIPPED, Peer, contestants

REAL = Peer(name="Real one", runtime="torch_runtime", precision="fp32", packages=("torch",))


class Conversions:
    """In place of the fresh process: writes a file of ten bytes, or fails."""

    def __init__(self, status: str = "ok", error: ChildError | None = None) -> None:
        self.status, self.error, self.made = status, error, 0

    def __call__(self, function: Any, arguments: dict[str, Any], **_: Any) -> dict[str, str]:
        self.made += 1
        if self.error is not None:
            raise self.error
        (Path(arguments["folder"]) / "model").write_bytes(b"0123456789")
        return {"status": self.status}


def statuses(
    monkeypatch: pytest.MonkeyPatch,
    work: Path,
    fake: Conversions,
    *,
    peer: Peer = REAL,
    key: str = "k",
) -> dict[str, Any]:
    monkeypatch.setattr(prepare, "run_fresh", fake)
    return prepare_all([peer], "segmenter", work=work, key=lambda _peer: key, common={})[peer.name]


def test_a_model_is_converted_once(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    fake = Conversions()
    first = statuses(monkeypatch, tmp_path, fake)
    assert statuses(monkeypatch, tmp_path, fake) == first
    assert fake.made == 1
    assert (first["status"], first["bytes"]) == ("ok", 10)


def test_other_networks_are_converted_anew(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    fake = Conversions()
    statuses(monkeypatch, tmp_path, fake)
    statuses(monkeypatch, tmp_path, fake, key="other")
    assert fake.made == 2


def test_another_version_of_a_runtime_is_converted_anew(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    fake = Conversions()
    statuses(monkeypatch, tmp_path, fake)
    monkeypatch.setattr(prepare, "version_of", lambda name: "99")
    statuses(monkeypatch, tmp_path, fake)
    assert fake.made == 2


def test_a_failed_conversion_is_a_row_with_its_reason(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    fake = Conversions(error=ChildError("f", "ended by signal 11"))
    found = statuses(monkeypatch, tmp_path, fake)
    assert found["status"] == "cannot be converted: ended by signal 11"


def test_what_is_not_installed_is_a_row(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    peer = Peer(name="x", runtime="none", precision="fp32", packages=("no-such-package", "torch"))
    fake = Conversions()
    found = statuses(monkeypatch, tmp_path, fake, peer=peer)
    assert found == {"status": "not installed: no-such-package"}
    assert fake.made == 0


def test_size_counts_the_models_files_only(tmp_path: Path) -> None:
    (tmp_path / "a").write_bytes(b"123")
    (tmp_path / prepare.DONE).write_text("{}")
    (tmp_path / "compiled").mkdir()
    assert size_bytes(tmp_path) == 3


def test_names_and_folders_are_unique() -> None:
    assert len({peer.slug for peer in ROSTER}) == len({peer.name for peer in ROSTER}) == len(ROSTER)


def test_contestants_by_beginning_of_name() -> None:
    assert [peer.name for peer in contestants("segmenter", ("openvino fp",))] == ["OpenVINO fp32"]
    assert "max-pool" in " ".join(peer.name for peer in contestants("classifier"))
    assert "max-pool" not in " ".join(peer.name for peer in contestants("segmenter"))


def test_only_the_bundles_own_program_is_made_anew_for_another_bundle() -> None:
    ours, foreign = (
        Peer(name=graph, runtime="none", precision="int8", graph=graph, slices=3)
        for graph in (SHIPPED, FOLDED)
    )

    def made(peer: Peer, bundle: str, networks: str = "n") -> str:
        return made_of(peer, "segmenter", networks=networks, bundle=bundle)

    assert made(ours, "a") != made(ours, "b")
    assert made(foreign, "a") == made(foreign, "b")
    assert made(foreign, "a") != made(foreign, "a", "other")
    assert made(foreign, "a") != made(replace(foreign, slices=1), "a")
