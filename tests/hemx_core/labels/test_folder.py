from dataclasses import replace

import numpy as np
import pydicom
import pytest

from hemx_core.data.check import check_dataset
from hemx_core.data.dataset import open_dataset
from hemx_core.errors import DatasetError
from hemx_core.labels.answers import Answer, Reading
from hemx_core.labels.codes import Coder
from hemx_core.labels.folder import LabelledFolder, check_reader, study_code
from hemx_core.markers import MARKER_CODES
from hemx_core.measure.volume import slice_areas_mm2, volume_ml
from hemx_core.pipeline import triage_volume
from tests.factories import ThresholdModels
from tests.hemx_core.data.sets import GRID, phantom
from tests.hemx_core.labels.test_codes import PERSON

INFO = {"name": "n", "licence": "l", "attribution": "a", "version": "1"}
NO = dict.fromkeys(MARKER_CODES, Answer.NO)


@pytest.fixture(scope="module")
def labelled(tmp_path_factory):
    """A phantom that carries a person's header, labelled by one reader."""
    source = phantom(0)
    volume = replace(source.volume, identity=PERSON)
    coded = Coder(b"k" * 32).nameless(volume)
    folder = LabelledFolder(tmp_path_factory.mktemp("sets") / "set", INFO)
    study = study_code(coded)
    folder.add_study(coded, split="train")
    folder.put_network(study, triage_volume(volume, ThresholdModels()))
    mask = folder.put_mask(f"readings/dr-a/{study}", source.mask)
    reading = Reading(answers=NO | {"blend": Answer.YES}, slices={"blend": (4,)})
    folder.put_reading("dr-a", study, reading, mask)
    return folder.folder, study


def test_what_was_written_opens_as_a_data_set_with_its_labels(labelled, tmp_path) -> None:
    folder, _ = labelled
    assert check_dataset(folder).errors == 0
    source = open_dataset(folder, GRID, tmp_path / "cache")
    (found,) = source.patients("train")
    assert found.patient_markers.tolist() == [0, 0, 1, 0]
    blood = found.with_blood
    assert found.slice_markers[blood][:, 0].tolist() == [0] * int(blood.sum())
    assert found.slice_markers[4, 2] == 1
    assert (found.slice_markers[blood][:, 2] == -1).sum() == blood.sum() - 1
    geometry = phantom(0).volume.geometry
    truth = volume_ml(slice_areas_mm2(phantom(0).mask, geometry), geometry)
    assert found.haematoma_volume_ml == pytest.approx(truth, rel=1e-3)


def test_no_byte_of_it_names_the_person(labelled) -> None:
    folder, study = labelled
    words = ("hanako", "4711", "19500102", "1.2.3.4", "north", "20260304", "2026-03")
    for path in folder.rglob("*"):
        if path.is_file():
            content = path.read_bytes().lower()
            for word in words:
                assert word.encode() not in content, (path, word)
            assert not any(word in str(path.relative_to(folder)).lower() for word in words)
    header = pydicom.dcmread(next((folder / "studies" / study).glob("*.dcm")))
    assert header.PatientIdentityRemoved == "YES"
    assert (header.ConvolutionKernel, header.KVP) == ("", None)


def test_pixels_come_back_as_they_were(labelled) -> None:
    from hemx_core.imaging.reader import read_series

    folder, study = labelled
    read = read_series(folder / "studies" / study)
    np.testing.assert_array_equal(read.hu, phantom(0).volume.hu)
    assert read.identity.scanner == "Canon Aquilion"


def test_an_answer_given_again_replaces_the_first_and_leaves_the_others(tmp_path) -> None:
    folder = LabelledFolder(tmp_path / "set", INFO)
    for study in ("a", "b"):
        folder.put_reading("x", study, Reading(answers=NO))
    folder.put_reading("x", "a", Reading(answers={"blend": Answer.POSSIBLE}))
    lines = (tmp_path / "set" / "readings" / "x.csv").read_text().splitlines()
    assert [line.split(",")[0] for line in lines] == ["study", "a", "b"]
    assert "possible" in lines[1]


def test_an_empty_mask_is_none_and_old_pictures_go(tmp_path) -> None:
    folder = LabelledFolder(tmp_path / "set", INFO)
    mask = np.zeros((3, 8, 8), bool)
    mask[1, 2, 2] = True
    assert folder.put_mask("m", mask) == "m"
    assert folder.put_mask("m", np.zeros_like(mask)) == "none"
    assert not list((tmp_path / "set" / "m").glob("*.png"))


def test_a_folder_of_something_else_and_a_name_that_leaves_it_are_refused(tmp_path) -> None:
    (tmp_path / "photo.jpg").touch()
    with pytest.raises(DatasetError, match="not empty"):
        LabelledFolder(tmp_path, INFO)
    for name in ("", "../x", "a/b", "x" * 41, ".."):
        with pytest.raises(DatasetError, match="reader"):
            check_reader(name)
    assert check_reader("Dr.Müller-2") == "Dr.Müller-2"
