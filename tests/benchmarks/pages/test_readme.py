import json

import pytest

from benchmarks.pages import readme


def test_documents_show_the_figures_of_the_result_files():
    assert readme.outdated() == {}


def test_blocks_are_filled_and_the_rest_stays(monkeypatch, tmp_path):
    monkeypatch.setattr(readme, "RESULTS", tmp_path)
    (tmp_path / "evaluation").mkdir()
    for split, dice in (("validation", 0.9512), ("test", 0.91)):
        figure = {"mean": dice, "interval": [0.9, 0.98], "median": 3.1, "smallest": 0.8}
        names = ("dice", "volume_error_percent", "false_ml")
        report = {"patients": 16, "scores": dict.fromkeys(names, figure)}
        (tmp_path / "evaluation" / f"masks_{split}.json").write_text(json.dumps(report))
    text = "before\n<!-- figures:segmentation -->\nold\n<!-- /figures -->\nafter\n"
    new = readme.render(text)
    assert new.startswith("before\n")
    assert new.endswith("<!-- /figures -->\nafter\n")
    assert "0.951 (0.900 to 0.980) | 0.910 (0.900 to 0.980) |" in new
    assert "3.1%" in new
    assert "old" not in new
    assert readme.render(new) == new


def test_a_block_without_results_fails():
    with pytest.raises(KeyError):
        readme.render("<!-- figures:nothing -->\n<!-- /figures -->")
