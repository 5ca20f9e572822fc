import json

import pytest

from benchmarks import readme


def test_documents_show_the_figures_of_the_result_files():
    assert readme.outdated() == {}


def test_blocks_are_filled_and_the_rest_stays(monkeypatch, tmp_path):
    monkeypatch.setattr(readme, "RESULTS", tmp_path)
    scores = {
        "patients": 16,
        "dice_mean": 0.9512,
        "dice_worst": 0.8,
        "volume_error_median": 0.031,
        "false_ml_mean": 0.02,
    }
    (tmp_path / "training").mkdir()
    (tmp_path / "training" / "segmentation.json").write_text(json.dumps({"validation": scores}))
    text = "before\n<!-- figures:segmentation -->\nold\n<!-- /figures -->\nafter\n"
    new = readme.render(text)
    assert new.startswith("before\n")
    assert new.endswith("<!-- /figures -->\nafter\n")
    assert "| Dice per patient, mean | 0.951 |" in new
    assert "3.1%" in new
    assert "old" not in new
    assert readme.render(new) == new


def test_a_block_without_results_fails():
    with pytest.raises(KeyError):
        readme.render("<!-- figures:nothing -->\n<!-- /figures -->")
