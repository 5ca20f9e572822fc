import json
from pathlib import Path

import numpy as np
import pytest
from sklearn.metrics import cohen_kappa_score

from hemx_core.data.readings import READ_CODES, Answer, Reading, ReadPatient
from hemx_core.errors import TrainingError
from hemx_core.markers import Aggregation, Evidence, ReadBy
from hemx_core.records import from_values
from hemx_core.training.scoring.calibration import Calibration
from hemx_core.training.scoring.predictions import Predictions
from hemx_core.training.scoring.read_patients import (
    patient_calls,
    reading_labels,
    score_readings,
    write_validation,
)

CODES = ("blend", "hypodensity")
AS_IS = Calibration(0.0, 1.0, 0.5, estimable=True)


def _patient(
    number: int, blend: str, hypodensity: str = "00", *, wrong: bool = False
) -> ReadPatient:
    """Answers of both readings, as in the table: "21" is clearly yes and possible."""
    readings = []
    for which in (0, 1):
        answers = dict.fromkeys(READ_CODES, Answer.NO)
        answers["blend"] = Answer(int(blend[which]))
        answers["hypodensity"] = Answer(int(hypodensity[which]))
        readings.append(Reading(answers, "putamen", wrong, {}))
    return ReadPatient(f"{number:04d}", *readings)


# 6 clear blends, 8 clear negatives, 3 unsure; one whose outline is wrong. Hypodensity: 3 clear ones.
READINGS = [
    *(_patient(i, "22") for i in range(6)),
    *(_patient(6 + i, "00", "22" if i < 3 else "00") for i in range(8)),
    _patient(14, "21"),
    _patient(15, "11"),
    _patient(16, "01"),
    _patient(17, "22", wrong=True),
]
CALLED = np.array([1, 1, 1, 1, 1, 0, *[0] * 7, 1, 1, 0, 0, 0], bool)
PROBABILITIES = np.where(CALLED, 0.8, 0.1)


def _scores() -> dict:
    columns = np.stack([PROBABILITIES, PROBABILITIES], 1)
    return score_readings(columns, columns > 0.5, READINGS, codes=CODES, draws=200)


def test_figures_by_hand() -> None:
    blend = _scores()["blend"]
    assert blend.patients == {"present": 6, "absent": 8, "undecided": 3}
    assert blend.called.value == pytest.approx(7 / 17)
    assert blend.sensitivity.value == pytest.approx(5 / 6)
    assert blend.specificity.value == pytest.approx(7 / 8)
    # Wilson: (p + z²/2n ± z √(p(1-p)/n + z²/4n²)) / (1 + z²/n), z = 1.96, n = 6, p = 5/6.
    assert blend.sensitivity.lower == pytest.approx(0.4365, abs=5e-4)
    assert blend.sensitivity.upper == pytest.approx(0.9699, abs=5e-4)
    # Ties count half: 5 of 6 against 1 of 8.
    assert blend.auc.value == pytest.approx((5 / 6) * (7 / 8) + 0.5 * (5 / 6 / 8 + 7 / 8 / 6))
    first = np.array([*[1] * 6, *[0] * 8, 1, 0, 0])
    second = np.array([*[1] * 6, *[0] * 8, 0, 0, 0])
    assert blend.kappa_first.value == pytest.approx(cohen_kappa_score(CALLED[:17], first))
    assert blend.kappa_second.value == pytest.approx(cohen_kappa_score(CALLED[:17], second))
    assert blend.kappa_readings.value == pytest.approx(cohen_kappa_score(first, second))
    assert blend.kappa_first.lower < blend.kappa_first.value < blend.kappa_first.upper
    assert json.loads(json.dumps(blend.to_json()))["validated"] is True


def test_a_marker_is_validated_by_its_limits_and_never_on_a_handful() -> None:
    scores = _scores()
    assert scores["blend"].validated
    assert not scores["hypodensity"].validated, "it is not called where it shows"
    right = np.array([read.label("hypodensity") == 1 for read in READINGS])
    few = score_readings(
        right[:, None] * 1.0, right[:, None], READINGS, codes=("hypodensity",), draws=20
    )["hypodensity"]
    assert few.sensitivity.value == few.specificity.value == 1
    assert not few.validated, "three patients show nothing"
    everybody = np.ones((18, 1), bool)
    loose = score_readings(everybody * 1.0, everybody, READINGS, codes=("blend",), draws=20)
    assert not loose["blend"].validated, "it is called in everybody"
    nobody = [_patient(i, "00") for i in range(9)]
    none = score_readings(
        np.zeros((9, 1)), np.zeros((9, 1), bool), nobody, codes=("blend",), draws=20
    )
    assert none["blend"].sensitivity.value is None
    assert not none["blend"].validated


def test_answers_are_triages_by_way_temperature_and_threshold() -> None:
    found = Predictions(
        np.array([[1.0, -2.0], [3.0, 0.5], [-1.0, 4.0]]),
        np.zeros((3, 2), np.int8),
        np.array([0, 0, 2]),
        np.zeros((3, 2), np.int8),
        area=np.array([100.0, 20.0, 5.0]),
        index=np.array([3, 4, 9]),
    )
    ways = (Aggregation.LARGEST, Aggregation.MAX)
    probabilities, called = patient_calls(found, ways, (AS_IS, Calibration(-1, 2, 0.7, True)))
    logits = [[1.0, (0.5 - 1) / 2], [-20, (-20 - 1) / 2], [-1, (4 - 1) / 2]]
    np.testing.assert_allclose(probabilities, 1 / (1 + np.exp(-np.array(logits))))
    assert called.tolist() == [[True, False], [False, False], [False, True]]


def test_labels_are_what_both_clearly_say() -> None:
    assert reading_labels(READINGS, ("blend",))[:, 0].tolist() == [1] * 6 + [0] * 8 + [-1] * 3 + [1]
    assert reading_labels([], CODES).shape == (0, 2)


def test_rows_that_do_not_fit_the_readings_are_refused() -> None:
    with pytest.raises(TrainingError, match="order of the readings"):
        score_readings(np.zeros((3, 2)), np.zeros((3, 2), bool), READINGS, codes=CODES)


def test_the_decision_keeps_its_rules_and_gets_the_evidence(tmp_path: Path) -> None:
    path = tmp_path / "decision.json"
    rules = {"temperature": 1.2, "threshold": 0.4, "aggregation": "large", "validated": False}
    document = {"crop_size": 96, "markers": dict.fromkeys((*CODES, "irregular"), rules)}
    path.write_text(json.dumps(document), encoding="utf-8")
    said = write_validation(path, _scores(), read_by=ReadBy.VISION_MODEL)
    assert said == {"blend": True, "hypodensity": False}
    written = json.loads(path.read_text(encoding="utf-8"))
    assert written["crop_size"] == 96
    assert written["markers"]["irregular"] == rules
    blend = written["markers"]["blend"]
    assert blend["temperature"] == 1.2
    assert blend["validated"] is True
    evidence = from_values(Evidence, blend["evidence"])
    assert evidence.read_by is ReadBy.VISION_MODEL
    assert (evidence.present, evidence.absent) == (6, 8)
    assert evidence.sensitivity_95 == pytest.approx((0.4365, 0.9699), abs=5e-4)
    path.write_text("{}", encoding="utf-8")
    with pytest.raises(TrainingError, match="no decision on"):
        write_validation(path, _scores(), read_by=ReadBy.VISION_MODEL)
