import numpy as np
import pytest

from hemx_core.errors import DatasetError
from hemx_core.markers import MARKER_CODES
from hemx_core.training.scoring.predictions import Predictions
from hemx_core.training.scoring.sites import evaluate_by_site
from hemx_core.training.scoring.weighted import auc

SITES = ["north"] * 20 + ["south"] * 20 + ["west"] * 3


def _found() -> Predictions:
    """North is easy, south is hard, west has no patient with a marker; fluid levels are unknown."""
    rng = np.random.default_rng(6)
    labels = np.tile((np.arange(43)[:, None] % 2), (1, 4)).astype(np.int8)
    labels[40:] = 0
    labels[:, 3] = -1
    lift = np.repeat([6.0, 0.5, 1.0], [20, 20, 3])[:, None]
    logits = lift * labels + rng.normal(0, 1, (43, 4))
    return Predictions(logits, labels, np.arange(43), labels)


def test_each_site_has_its_own_auc_and_the_worst_is_named() -> None:
    found = _found()
    table = evaluate_by_site(found, SITES, draws=100)
    north, south, west = table.rows
    assert (north.site, south.site, west.site) == ("north", "south", "west")
    assert table.worst == "south"
    assert table.unjudged == ("west",)
    assert table.worst_by_marker["fluid_level"] is None
    for i, code in enumerate(MARKER_CODES[:3]):
        expected = auc(found.logits[20:40, i], found.patient_labels[20:40, i])
        assert south.auc[code].value == pytest.approx(expected)
        assert (south.auc[code].lower or 1) < (south.auc[code].value or 0)
    assert south.mean_auc == pytest.approx(np.mean([south.auc[c].value for c in MARKER_CODES[:3]]))
    assert west.labels["blend"] == {"present": 0, "absent": 3, "undecided": 0}


def test_the_table_is_ready_for_json_and_markdown() -> None:
    table = evaluate_by_site(_found(), SITES, draws=50)
    document = table.to_json()
    assert document["worst"] == "south"
    assert document["held_out"] is False
    assert document["sites"]["west"]["auc"]["blend"] == {"value": None, "interval": [None, None]}
    text = table.to_markdown()
    assert text.count("\n| ") == 4
    assert "worst site by mean AUC: south" in text
    assert "| west | 3 | not estimable |" in text


def test_wrong_sites_are_refused() -> None:
    found = _found()
    with pytest.raises(DatasetError, match="5 sites for 43 patients"):
        evaluate_by_site(found, SITES[:5])
