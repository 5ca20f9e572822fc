from pathlib import Path

from benchmarks.pages.experiments import DOCUMENT, render
from benchmarks.paper.experiments import NAMES
from benchmarks.paper.report import RESULTS, Row, Section, write_report
from benchmarks.paper.scale import TINY
from benchmarks.paper.stats import Estimate


def test_a_block_is_filled_from_its_results_and_the_text_round_it_stays(tmp_path: Path) -> None:
    figure = Estimate(0.75, 0.7, 0.8, None, 1)
    row = Row(arm="one", title="one arm", cells={"auc": figure})
    section = Section(title="AUC", note="Note.", columns=[("auc", "AUC")], rows=[row])
    facts = {
        "title": "Title",
        "scale": TINY.to_json(),
        "seeds": [1],
        "minutes": 1.0,
        "threads": 1,
    }
    write_report(tmp_path, "merging", [section], facts=facts)
    text = "before\n<!-- experiment:merging -->\nold\n<!-- /experiment -->\nafter\n"
    once = render(text, tmp_path)
    assert once.startswith("before\n<!-- experiment:merging -->\n")
    assert once.endswith("<!-- /experiment -->\nafter\n")
    assert "| one arm | 0.750 (0.700 to 0.800) |" in once
    assert "old" not in once
    assert render(once, tmp_path) == once
    missing = render(text.replace("merging", "location"), tmp_path)
    assert "Not run here; `hemx experiment location` runs it." in missing


def test_the_document_has_a_block_for_every_experiment_and_is_up_to_date() -> None:
    text = DOCUMENT.read_text(encoding="utf-8")
    for name in NAMES:
        assert f"<!-- experiment:{name} -->" in text
    assert render(text, RESULTS) == text
