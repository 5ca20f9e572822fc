"""The licences that the app shows are those of what it ships."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from hemx_core.manifest import ModelManifest
from mobile_app.packaging import PackagingError, licences
from mobile_app.packaging.stage import MODELS, ROOT, read_spec


def shipped() -> dict[str, dict[str, str]]:
    found = json.loads(licences.LICENCES.read_text(encoding="utf-8"))
    return {one["part"]: one for one in found}


def test_every_requirement_of_the_build_file_has_its_licence() -> None:
    parts = shipped()
    assert licences.required() <= set(parts)
    assert {"hemx", "weights", "font", "letters", "executorch"} <= set(parts)
    assert all(one["text"].strip() and one["licence"] for one in parts.values())


def test_the_lgpl_is_shown_with_the_gpl_that_it_adds_to() -> None:
    text = shipped()["fpdf2"]["text"]
    assert "GNU LESSER GENERAL PUBLIC LICENSE" in text
    assert "TERMS AND CONDITIONS" in text


def test_pinned_versions_are_those_of_the_licences() -> None:
    parts = shipped()
    pinned = [one.split("==") for one in read_spec()["requirements"].split(",") if "==" in one]
    assert {"kivy", "pydicom", "fpdf2", "cattrs"} <= dict(pinned).keys()
    for name, version in pinned:
        assert parts[name]["version"] == version
    assert parts["executorch"]["version"] == ModelManifest.load(ROOT / MODELS).executorch


def test_the_asset_is_what_the_script_would_write_now() -> None:
    """Texts and names; a version that nobody pinned may be newer here than when it was written."""
    parts = shipped()
    now = licences.collect()
    assert [one.part for one in now] == list(parts)
    for one in now:
        assert one.licence == parts[one.part]["licence"], (
            "run python -m mobile_app.packaging.licences"
        )
    own = {one.part: one.text for one in now}
    for part in ("hemx", "font", "letters"):
        assert own[part] == parts[part]["text"]
    assert parts["hemx"]["text"] == (ROOT / "LICENSE").read_text("utf-8")


def test_the_weights_are_for_research(tmp_path: Path) -> None:
    assert shipped()["weights"]["licence"] == "research use, non-commercial"
    models = tmp_path / MODELS
    models.mkdir(parents=True)
    (models / "manifest.json").write_text('{"training": {}}')
    card = tmp_path / "hemx_core" / "weights"
    card.mkdir(parents=True)
    (card / "MODEL_CARD.md").write_text("free for all")
    with pytest.raises(PackagingError, match="not the known one"):
        licences.collect(tmp_path)


def test_a_requirement_without_a_licence_is_found(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(licences, "required", lambda: {"kivy", "surprise"})
    with pytest.raises(PackagingError, match="surprise"):
        licences.collect()
