import csv
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from benchmarks.folds.markers import decide, of_largest, read_answers, score
from benchmarks.folds.recipe import Arm, Place
from hemx_core.data.phe_sich import Fold
from hemx_core.data.readings import FILE, READ_CODES

ARM = Arm()
PATIENTS = [f"{number:04d}" for number in range(1, 41)]


def store(place: Place, kind: str, patients: list[str], truth: np.ndarray, *, seed: int) -> None:
    """Three slices a study, of which the second is the largest and shows what is true."""
    rng = np.random.default_rng(seed)
    count = len(patients)
    labels = np.repeat(truth, 3, 0)
    logits = np.where(labels == 1, 3.0, -3.0) + rng.normal(0, 1, labels.shape)
    place.folder.mkdir(parents=True, exist_ok=True)
    np.savez(
        place.folder / f"{ARM.name}_{kind}.npz",
        logits=logits,
        labels=labels.astype(np.int8),
        study=np.repeat(np.arange(count), 3),
        place=np.tile([4, 5, 6], count),
        area_mm2=np.tile([100.0, 300.0, 200.0], count),
        study_labels=truth.astype(np.int8),
        id=np.array([f"phe_sich-{patient}" for patient in patients]),
    )


@pytest.fixture
def places(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> list[Place]:
    """Two folds of twenty patients, drawn studies of each, readings that agree with the truth."""
    folder = tmp_path / "phe_sich"
    folder.mkdir()
    monkeypatch.setenv("HEMX_DATA", str(tmp_path))
    rows = ["patient,slice,window_level,window_width,haematoma_px"]
    rows += [f"{patient},0,40,80,{int(patient) * 10}" for patient in PATIENTS]
    (folder / "slices.csv").write_text("\n".join(rows) + "\n")
    rng = np.random.default_rng(1)
    truth = {patient: rng.integers(0, 2, 4) for patient in PATIENTS}
    names = [f"{code}_{which}" for code in (*READ_CODES, "location", "reference_wrong", "slices")
             for which in "ab"]  # fmt: skip
    with (folder / FILE).open("w", newline="") as stream:
        writer = csv.DictWriter(stream, ["patient", *names])
        writer.writeheader()
        for patient in PATIENTS:
            row = dict.fromkeys(names, 0) | {"patient": patient, "slices_a": "", "slices_b": ""}
            for code, label in zip(READ_CODES[:4], truth[patient], strict=True):
                row |= {f"{code}_a": 2 * label, f"{code}_b": 2 * label}
            writer.writerow(row)
    made = [Place(root=tmp_path / "folds", fold=Fold(k, 2)) for k in range(2)]
    for k, place in enumerate(made):
        own = PATIENTS[k::2]
        store(place, "read", own, np.array([truth[p] for p in own]), seed=k)
        studies = own * 3
        store(place, "drawn", studies, rng.integers(0, 2, (len(studies), 4)), seed=10 + k)
    return made


def test_what_is_easy_is_found_in_everyone_and_everyone_is_scored_once(places: list[Place]) -> None:
    found = score(places, ARM, test=True)
    assert found.read_test is not None
    for code in READ_CODES[:4]:
        counts = [scores[code].patients for scores in (found.read, found.read_test)]
        assert sum(sum(one.values()) for one in counts) == len(PATIENTS)
        assert (found.read[code].sensitivity.value or 0) > 0.9
        assert (found.read[code].specificity.value or 0) > 0.9
        assert found.drawn[code]["auc"]["value"] > 0.98
    assert score(places, ARM).read_test is None


def test_a_fold_is_decided_by_the_other_folds(places: list[Place]) -> None:
    before = score(places, ARM)
    path = places[0].folder / f"{ARM.name}_drawn.npz"
    with np.load(path) as stored:
        values = dict(stored)
    values["logits"] = values["logits"] + 50
    np.savez(path, **values)
    after = score(places, ARM)
    # The other fold's read patients are now all below the threshold, its own are called as before.
    assert (before.read["blend"].sensitivity.value or 0) > 0.9
    assert (after.read["blend"].sensitivity.value or 0) < 0.8
    assert (after.read["blend"].sensitivity.value or 0) > 0.2


def test_test_patients_choose_nothing(places: list[Place]) -> None:
    from hemx_core.data import phe_sich

    rows = phe_sich.read_rows(phe_sich.data_folder())
    test = phe_sich.split_patients(rows)["test"]
    before = score(places, ARM).decision.to_json()
    for place in places:
        path = place.folder / f"{ARM.name}_drawn.npz"
        with np.load(path) as stored:
            values = dict(stored)
        own = np.isin([name.removeprefix("phe_sich-") for name in values["id"]], test)
        values["logits"] = values["logits"] - 90 * own[values["study"]][:, None]
        np.savez(path, **values)
    assert score(places, ARM).decision.to_json() == before


def test_studies_are_joined_and_parted_with_their_slices(places: list[Place]) -> None:
    whole = read_answers(places, ARM, "drawn")
    part = whole.part(whole.patient == "0007")
    assert len(part.patient) == 3
    assert len(part.found.logits) == 9
    assert part.found.patient.tolist() == [0, 0, 0, 1, 1, 1, 2, 2, 2]
    assert len(np.unique(part.found.clusters)) == 1
    assert decide(part, replace(ARM.training)).calibrations


def test_irregular_is_read_on_the_largest_slice() -> None:
    whole = {
        "id": np.array(["a", "b"]),
        "study": np.array([0, 0, 1, 1]),
        "area_mm2": np.array([10.0, 30.0, 50.0, 20.0]),
        "labels": np.array([[1], [0], [-1], [1]], np.int8),
    }
    assert of_largest(whole, 0).tolist() == [0, -1]
