from datetime import datetime, timedelta

import numpy as np
import pytest

from hemx_core.errors import InputError
from hemx_core.imaging.volume import HUVolume, SeriesIdentity
from hemx_core.labels.codes import SHIFT_S, Coder, new_key, split_of
from hemx_core.notes import Note, Severity
from tests.factories import simple_head

PERSON = SeriesIdentity(
    patient_id="4711",
    patient_name="Demo^Hanako",
    birth_date="19500102",
    sex="F",
    study_uid="1.2.3.4",
    series_uid="1.2.3.4.5",
    site="North Hospital",
    scanner="Canon Aquilion",
    series_description="Hanako head",
    acquired_at=datetime(2026, 3, 4, 5, 6, 7, 8),
    source="/home/hanako",
)


def test_codes_depend_on_the_key_and_name_nobody() -> None:
    coder, other = Coder(b"a" * 32), Coder(b"b" * 32)
    assert coder.patient(PERSON) == Coder(b"a" * 32).patient(PERSON)
    assert coder.patient(PERSON) != other.patient(PERSON)
    assert coder.study(PERSON) != coder.patient(PERSON)
    assert coder.reader("Dr A") != coder.reader("Dr B")
    assert coder.site(SeriesIdentity()) == ""
    assert len(new_key()) == 32 != new_key()


def test_studies_of_a_patient_keep_their_distance_in_time() -> None:
    coder = Coder(new_key())
    later = SeriesIdentity(
        patient_id=" 4711 ", series_uid="9", acquired_at=PERSON.acquired_at + timedelta(hours=9)
    )
    first, second = coder.shifted(PERSON), coder.shifted(later)
    assert coder.patient(PERSON) == coder.patient(later)
    assert second - first == timedelta(hours=9)
    assert SHIFT_S[0] <= (PERSON.acquired_at - first).total_seconds() <= SHIFT_S[1] + 1


def test_without_a_patient_id_each_study_is_a_patient() -> None:
    coder = Coder(new_key())
    one, two = SeriesIdentity(series_uid="1"), SeriesIdentity(series_uid="2")
    assert coder.patient(one) != coder.patient(two)


def test_of_a_volume_only_the_scanner_and_the_pixels_stay() -> None:
    volume = simple_head(identity=PERSON)
    volume.hu.flags.writeable = True
    coded = Coder(new_key()).nameless(volume)
    told = str(coded.identity)
    for word in ("Hanako", "4711", "1950", "1.2.3.4", "North", "2026", "hanako"):
        assert word not in told
    assert coded.identity.scanner == "Canon Aquilion"
    assert len(coded.identity.sop_instance_uids) == len(volume.hu)
    np.testing.assert_array_equal(coded.hu, volume.hu)


def test_pictures_with_text_in_them_are_refused() -> None:
    head = simple_head()
    noted = HUVolume(head.hu, geometry=head.geometry, notes=(Note("burned_in", Severity.CAUTION),))
    with pytest.raises(InputError, match="text in their pixels"):
        Coder(new_key()).nameless(noted)


def test_splits_are_60_20_20_and_stay() -> None:
    splits = [split_of(f"P{number}") for number in range(2000)]
    assert abs(splits.count("train") / 2000 - 0.6) < 0.04
    assert abs(splits.count("test") / 2000 - 0.2) < 0.04
    assert split_of("P7") == splits[7]
