import pytest

import hemx_core
from hemx_core.imaging.reader import SeriesSummary
from hemx_core.notes import Phrase, Refusal
from tests.hemx_core.commands.running import run

UID = "1.2.826.0.1.3680043.9.4245.3115138630835728997848661150714813892"


def test_series_are_listed_with_what_to_give(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    summary = SeriesSummary(
        key=UID,
        series_uid=UID,
        study_uid="1",
        patient_id="p",
        series_number=201,
        description="Head [thin]",
        slices=30,
        thickness_mm=None,
        plane="axial",
        acquired_at=None,
        usable=False,
        refusal=Refusal("contrast_given", sign=Phrase("contrast.agent", agent="Iohexol")),
    )
    monkeypatch.setattr(hemx_core, "list_series", lambda path: (summary,))
    assert run("series", "study") == 0
    out = capsys.readouterr().out
    for part in (UID, "201", "Head [thin]", "no: contrast medium"):
        assert part in out
