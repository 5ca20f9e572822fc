"""The examples of docs/examples run, with the shipped models, and print what they promise."""

import runpy
from pathlib import Path

import pytest

EXAMPLES = Path(__file__).parents[2] / "docs" / "examples"

PRINTED = {
    "compare_two_scans": ("he_30 yes", "call_neurosurgical_centre_now"),
    "list_series": ("10 slices axial usable", "<TriageResult "),
    "many_studies": ("1 ", "2 ", "3 refused: no DICOM images"),
    "numpy_volume": (" x 256 x 256 pixels", "Dice with the truth: 0."),
    "read_markers": ("blend: ", "shown best on slice", "hypodensity: "),
    "save_a_report": ("report/referral.pdf", "report/haematoma_seg.dcm"),
    "triage_a_study": (" mL", "result/result.json"),
}
"""Parts of each example's output."""


def test_every_example_is_run() -> None:
    assert {path.stem for path in EXAMPLES.glob("*.py")} == set(PRINTED)


@pytest.mark.parametrize("name", sorted(PRINTED))
def test_an_example_runs(
    name: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    pytest.importorskip("executorch", reason="the extra `runtime` is not installed")
    if name == "save_a_report":
        pytest.importorskip("highdicom", reason="the extra `dicom` is not installed")
    monkeypatch.chdir(tmp_path)
    runpy.run_path(str(EXAMPLES / f"{name}.py"), run_name="__main__")
    printed = capsys.readouterr().out
    if name == "compare_two_scans" and "90 % interval" not in printed:
        pytest.skip("the shipped bundle has no interval of growth: no answer is given")
    for part in PRINTED[name]:
        assert part in printed, printed
