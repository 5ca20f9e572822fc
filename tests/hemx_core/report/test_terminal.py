import io
from dataclasses import replace

import pytest
from rich.console import Console, RenderableType

from hemx_core.comparison import compare_results
from hemx_core.imaging.volume import SeriesIdentity
from hemx_core.notes import Note, Severity
from hemx_core.pipeline import triage_volume
from hemx_core.report.terminal import comparison_view, result_view
from hemx_core.result import Recommendation
from tests.factories import ThresholdModels, make_manifest, simple_head


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


def test_a_volume_and_a_growth_are_told_with_their_intervals() -> None:
    assert "90 % interval" in _text(14.0)
    assert "Raters differ by some 4 to 6" in " ".join(_text(14.0).split())
    study = triage_volume(simple_head(clot_mm=14.0), ThresholdModels())
    text = _shown(comparison_view(compare_results(study, study)))
    assert text.split("Growth")[1].split("Interval")[0].count(" to ") == 2
    assert "The volumes' intervals" in text
    bare = replace(study, volume_interval=None, growth_interval=None)
    text = _shown(comparison_view(compare_results(bare, bare)))
    assert "was not measured for these models" in " ".join(text.split())
    assert " to " not in text.split("Growth")[1].split("Interval")[0]


def test_a_marker_that_is_not_validated_says_so() -> None:
    manifest = make_manifest(validated=(False, True, True, True))
    result = triage_volume(
        simple_head(clot_mm=14.0), ThresholdModels(manifest, logits=(2.0, -3, -3, -3))
    )
    text = _shown(result_view(result))
    assert text.startswith("Discuss with a neurosurgical centre")
    assert "yes, not validated" in text
    assert "Not counted: hypodensity, probability 0.88" in text


def test_no_finding_shows_no_marker_table() -> None:
    text = _text(0.0)
    assert text.startswith("No haematoma found")
    assert "does not rule out" in text
    assert "Blend sign" not in text


@pytest.mark.parametrize("description", ["[bold]Head[/]", "5mm [/red]", "A[0]"])
def test_brackets_in_a_description_are_text(description: str) -> None:
    assert description in _text(0.0, description=description)


def test_control_characters_do_not_reach_the_terminal() -> None:
    text = _text(0.0, description="Head\x1b[2J\u202e\x9b31m 5\nmm")
    assert "Head[2J31m 5 mm" in text
    assert not {"\x1b", "\x9b", "\u202e"} & set(text)


def _shown(view: RenderableType) -> str:
    stream = io.StringIO()
    Console(file=stream, width=100).print(view)
    return stream.getvalue()


def test_a_comparison_tells_warnings_before_its_figures() -> None:
    volume = simple_head(clot_mm=14)
    earlier = triage_volume(volume, ThresholdModels())
    grave = Note("unreadable_slices", Severity.WARNING, count=2)
    later = replace(earlier, notes=(*earlier.notes, grave))
    result = replace(
        compare_results(earlier, later), notes=(Note("patient_unknown", Severity.WARNING),)
    )
    text = _shown(comparison_view(result))
    figures = text.index("Haematoma expansion")
    assert text.index("WARNING: Nothing proves") < text.index("Later study:") < figures
    assert "WARNING: 2 of the series' slices" in text[:figures]
    assert "Earlier study:" not in text[:figures]


def test_it_says_that_it_cannot_tell() -> None:
    result = triage_volume(simple_head(), ThresholdModels())
    grave = Note("unreadable_slices", Severity.WARNING, count=2)
    doubtful = replace(
        result, recommendation=Recommendation.CANNOT_TELL, notes=(*result.notes, grave)
    )
    text = _shown(result_view(doubtful))
    assert text.startswith("Cannot tell: look at the pictures, or scan again\nWARNING: 2 of")
    assert "No haematoma found" not in text
