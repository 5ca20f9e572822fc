import io

import pytest
from rich.console import Console

from hemx_core.imaging.volume import SeriesIdentity
from hemx_core.pipeline import triage_volume
from hemx_core.report.terminal import result_view
from tests.factories import ThresholdModels, simple_head


def _text(clot_mm: float, *, description: str = "Head") -> str:
    volume = simple_head(clot_mm=clot_mm, identity=SeriesIdentity(series_description=description))
    result = triage_volume(volume, ThresholdModels(logits=(2.0, -3, -3, -3)))
    stream = io.StringIO()
    Console(file=stream, width=80).print(result_view(result, identify=True))
    return stream.getvalue()


def test_a_finding_is_told_with_its_markers() -> None:
    text = _text(14.0)
    assert text.startswith("Call a neurosurgical centre now")
    for part in ("6.2 mL", "Hypodensity", "0.88", "yes", "5 mm", "peak memory", "not a medical"):
        assert part in text
    assert "\x1b" not in text, "no escape codes in a pipe"


def test_no_finding_shows_no_marker_table() -> None:
    text = _text(0.0)
    assert text.startswith("No haematoma found")
    assert "does not rule out" in text
    assert "Blend sign" not in text


@pytest.mark.parametrize("description", ["[bold]Head[/]", "5mm [/red]", "A[0]"])
def test_brackets_in_a_description_are_text(description: str) -> None:
    assert description in _text(0.0, description=description)
