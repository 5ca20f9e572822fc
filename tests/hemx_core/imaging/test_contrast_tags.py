"""Every tag of contrast medium, also those of Enhanced CT, and what they come to."""

from __future__ import annotations

from typing import Any

import pytest
from pydicom.dataset import Dataset
from pydicom.sequence import Sequence

from hemx_core.imaging.contrast import Said
from hemx_core.imaging.contrast_tags import ContrastTags, judge, read_tags, tags_say
from hemx_core.notes import Severity


def dataset(**elements: Any) -> Dataset:
    made = Dataset()
    for keyword, value in elements.items():
        setattr(made, keyword, value)
    return made


def agent(**elements: Any) -> Dataset:
    """A file with one item of the agents' sequence."""
    return dataset(ContrastBolusAgentSequence=Sequence([dataset(**elements)]))


def said(holder: Dataset, *groups: Dataset) -> Said:
    return tags_say(read_tags(holder, groups)).said


@pytest.mark.parametrize(
    ("elements", "expected"),
    [
        ({}, Said.NOTHING),
        ({"ContrastBolusAgent": ""}, Said.NOTHING),
        ({"ContrastBolusAgent": "UNKNOWN"}, Said.NOTHING),
        ({"ContrastBolusAgent": "Iohexol"}, Said.GIVEN),
        ({"ContrastBolusAgent": "keine"}, Said.NOT_GIVEN),
        ({"ContrastBolusVolume": "0"}, Said.NOT_GIVEN),
        ({"ContrastBolusVolume": "0", "ContrastBolusTotalDose": "0"}, Said.NOT_GIVEN),
        ({"ContrastBolusVolume": "70"}, Said.GIVEN),
        ({"ContrastFlowRate": "0"}, Said.NOTHING),
        ({"ContrastFlowRate": "4", "ContrastBolusVolume": "0"}, Said.NOT_GIVEN),
        ({"ContrastFlowRate": ["3", "3"]}, Said.NOTHING),
        ({"ContrastBolusRoute": "IV", "ContrastBolusAgent": "none"}, Said.NOT_GIVEN),
        ({"ContrastBolusStartTime": "000000"}, Said.NOTHING),
        ({"ContrastBolusStopTime": "101530"}, Said.GIVEN),
        ({"ContrastBolusRoute": "ORAL", "ContrastBolusAgent": "Omnipaque"}, Said.NOTHING),
        ({"ContrastBolusRoute": "ORAL"}, Said.NOTHING),
        ({"ContrastBolusIngredientConcentration": "0"}, Said.NOTHING),
    ],
)
def test_the_tags_are_weighed(elements: dict[str, Any], expected: Said) -> None:
    assert said(dataset(**elements)) is expected


def test_a_coded_agent_is_read() -> None:
    assert said(agent(CodeMeaning="Iohexol")) is Said.GIVEN
    assert said(agent(CodeValue="C-B0322")) is Said.GIVEN
    assert said(agent(CodeMeaning="None")) is Said.NOT_GIVEN
    assert said(agent()) is Said.NOTHING
    route = Sequence([dataset(CodeMeaning="Intravenous route")])
    assert said(agent(ContrastBolusAdministrationRouteSequence=route)) is Said.GIVEN
    oral = Sequence([dataset(CodeMeaning="Oral route")])
    told = agent(CodeMeaning="Iohexol", ContrastBolusAdministrationRouteSequence=oral)
    assert said(told) is Said.NOTHING


def test_the_profile_of_an_agent_is_read() -> None:
    profile = Sequence([dataset(ContrastBolusVolume=0.0), dataset(ContrastBolusVolume=60.0)])
    told = read_tags(agent(ContrastAdministrationProfileSequence=profile))
    assert told.amounts == (("ContrastBolusVolume", 0.0), ("ContrastBolusVolume", 60.0))
    assert tags_say(told).said is Said.GIVEN


@pytest.mark.parametrize(
    ("frames", "expected"),
    [(("NO", "NO"), Said.NOT_GIVEN), (("NO", "YES"), Said.GIVEN), (("", ""), Said.NOTHING)],
)
def test_frames_of_enhanced_ct_tell_whether_it_was_given(
    frames: tuple[str, ...], expected: Said
) -> None:
    groups = [
        dataset(
            ContrastBolusUsageSequence=Sequence([dataset(ContrastBolusAgentAdministered=frame)])
        )
        for frame in frames
    ]
    assert said(dataset(), *groups) is expected


def test_an_agent_that_no_frame_used_contradicts_itself() -> None:
    usage = Sequence([dataset(ContrastBolusAgentAdministered="NO")])
    told = tags_say(
        read_tags(agent(CodeMeaning="Iohexol"), [dataset(ContrastBolusUsageSequence=usage)])
    )
    assert told.said is Said.GIVEN
    assert told.against is not None
    assert told.against.values["tag"] == "ContrastBolusAgentAdministered"


NAMED, ZERO = ContrastTags(agents=("Iohexol",)), ContrastTags(amounts=(("ContrastBolusVolume", 0),))


@pytest.mark.parametrize(
    ("description", "tags", "given", "severity", "plain"),
    [
        ("Head", ContrastTags(), False, None, False),
        ("Head", NAMED, True, None, False),
        ("Head wo", NAMED, False, Severity.WARNING, False),
        ("Head wo", ContrastTags(), False, None, True),
        ("Head", ZERO, False, None, True),
        ("Head W", ZERO, True, None, False),
        ("Head IV", ContrastTags(), False, Severity.CAUTION, False),
        ("Head IV", ZERO, False, None, True),
        ("Head IV", NAMED, True, None, False),
    ],
)
def test_words_and_tags_together(
    description: str, tags: ContrastTags, given: bool, severity: Severity | None, plain: bool
) -> None:
    told = judge(description, tags)
    assert (told.given is not None) is given
    assert (told.doubt.severity if told.doubt else None) is severity
    assert told.plain is plain
