"""Cases of two studies, of what is written, and of words."""

from __future__ import annotations

import copy
from collections.abc import Callable, Iterator, Mapping
from functools import partial
from typing import Any

import numpy as np

from benchmarks.world.bases import Bases, Slices, Study, as_new_study, hu_of, put, store
from benchmarks.world.expect import Expected
from benchmarks.world.registry import Case, of_pair, of_plain
from benchmarks.world.words import CONTRAST, PLAIN, phrases

UTF_8 = {"SpecificCharacterSet": "ISO_IR 192"}
SEG, SR, PDF = "haematoma_seg.dcm", "triage_sr.dcm", "referral.pdf"


def cases() -> Iterator[Case]:
    """All cases of this file."""
    yield from _coverage()
    yield from _people()
    yield from _pictures()
    yield from _written()
    yield from _descriptions()


def _pair(
    kind: str, variant: str, build: Callable[[Bases], Study], expected: Expected, **options: Any
) -> Case:
    return Case(
        kind=kind,
        variant=variant,
        build=build,
        expected=expected,
        ask="compare",
        options=options,
        base="grown",
    )


def _coverage() -> Iterator[Case]:
    unclear = Expected(answer="indeterminate", warning=".", note=".")
    for variant, part, answer in (
        ("later, lower half", slice(0, 13), "indeterminate"),
        # A lower bound that has grown has grown.
        ("later, upper half", slice(15, None), "indeterminate|yes"),
        ("later, lowest seven", slice(0, 7), "indeterminate"),
    ):
        yield _pair(
            "one of two studies is cut",
            variant,
            of_pair(lambda a, b, part: (a, b[part]), part=part),
            Expected(answer=answer, warning=".", note=".", refusal="head|slices"),
        )
    yield _pair(
        "one of two studies is cut",
        "earlier, lower half",
        of_pair(lambda a, b: (a[:13], b)),
        unclear,
    )


def _people() -> Iterator[Case]:
    other = Expected(right=False, refusal="patient|person", warning="differ|patient|person")
    woman = {"PatientSex": "F", "PatientBirthDate": "19410203"}
    for variant, first, second in (
        ("sex and birth date", woman, {"PatientSex": "M", "PatientBirthDate": "19710405"}),
        ("birth date", woman, {**woman, "PatientBirthDate": "19410302"}),
        ("sex", woman, {**woman, "PatientSex": "M"}),
        ("name", {"PatientName": "Meier^Eva"}, {"PatientName": "Sato^Ken"}),
        (
            "issuer of the ID",
            {"IssuerOfPatientID": "A", "PatientName": "Meier^Eva"},
            {"IssuerOfPatientID": "B", "PatientName": "Sato^Ken"},
        ),
        ("ANONYMOUS", {"PatientID": "ANONYMOUS"}, {"PatientID": "ANONYMOUS"}),
        ("no ID", {"PatientID": ""}, {"PatientID": ""}),
    ):
        yield _pair(
            "another person under one ID",
            variant,
            of_pair(_put_both, first=first, second=second),
            other,
        )
    for variant, one, another in (
        ("kana", "ﾃｽﾄ^ﾊﾅｺ", "テスト^ハナコ"),
        ("case", "Test^Hanako", "TEST^HANAKO"),
    ):
        yield _pair(
            "one person written in two ways",
            variant,
            of_pair(
                _put_both,
                first={**UTF_8, "PatientName": one},
                second={**UTF_8, "PatientName": another},
            ),
            Expected(advice=True),
        )


def _put_both(
    earlier: Slices, later: Slices, first: Mapping[str, str], second: Mapping[str, str]
) -> tuple[Slices, Slices]:
    return put(earlier, **first), put(later, **second)


def _pictures() -> Iterator[Case]:
    yield _pair(
        "the same pictures twice",
        "new UIDs",
        of_pair(lambda a, _: (a, as_new_study(copy.deepcopy(a)))),
        Expected(right=False, warning="same|identical", refusal="same|identical"),
    )
    yield _pair(
        "the same pictures twice",
        "new UIDs and times",
        of_pair(
            lambda a, _: (
                a,
                put(as_new_study(copy.deepcopy(a)), AcquisitionTime="235959", StudyTime="235959"),
            )
        ),
        Expected(right=False, warning="same|identical", refusal="same|identical"),
    )
    yield _pair(
        "two studies in the wrong order",
        "",
        of_pair(lambda a, b: (b, a)),
        Expected(right=False, warning="before|order|earlier", refusal="before|order|earlier"),
    )
    yield _pair(
        "a bleed that changes side",
        "mirrored",
        of_pair(lambda a, b: (a, _mirrored(b))),
        Expected(right=False, warning="side"),
    )


def _mirrored(slices: Slices) -> Slices:
    for one in slices:
        store(one, np.rint(hu_of(one)[:, ::-1] + 1024), intercept=-1024)
    return slices


def _written() -> Iterator[Case]:
    def case(
        kind: str,
        variant: str,
        change: Callable[[Slices], Slices],
        expected: Expected,
        **options: Any,
    ) -> Case:
        return Case(
            kind=kind,
            variant=variant,
            build=of_plain(change),
            expected=expected,
            ask="save",
            options={
                "dicom": True,
                "hidden": expected.hidden,
                "shown": expected.shown,
                **options,
            },
        )

    for variant, charsets, name in (
        ("Japanese", ["", "ISO 2022 IR 87"], "Probe^Taro=試験^太郎=しけん^たろう"),
        ("Korean", "ISO 2022 IR 149", "Hong^Gildong=洪^吉洞=홍^길동"),
        ("Cyrillic", "ISO_IR 144", "Иванов^Иван"),
        ("Chinese", "GB18030", "Wang^XiaoDong=王^小东"),
    ):
        yield case(
            "character sets",
            variant,
            partial(put, SpecificCharacterSet=charsets, PatientName=name),
            Expected(advice=True, volume=0.001, files=(SEG, SR, PDF), note=".", shown=(name,)),
            identify=True,
            pdf=True,
        )
    for variant, elements in (
        ("sex U", {"PatientSex": "U"}),
        ("partial birth date", {"PatientBirthDate": "1940"}),
        ("time with colons", {"StudyTime": "03:20:00"}),
        ("overlong ID", {"PatientID": "1" * 80}),
        ("birth date with dots", {"PatientBirthDate": "1940.02.03"}),
    ):
        yield case(
            "odd demographics",
            variant,
            partial(put, **elements),
            Expected(advice=True, volume=0.001, files=(SEG, SR), note="."),
            identify=True,
        )
    yield case(
        "no frame of reference",
        "",
        partial(put, FrameOfReferenceUID=None),
        Expected(advice=True, volume=0.001, note="extras|seg", files=("result.json",)),
    )
    for variant, description, hidden in (
        ("joined by _", "HEAD_PROBE_5mm", "PROBE"),
        ("joined", "ProbeTaro1950", "ProbeTaro"),
        ("ID with prefix", "ID87654321 HEAD", "87654321"),
        ("Chinese characters", "頭部試験太郎5mm", "試験"),
    ):
        yield case(
            "names in descriptions",
            variant,
            partial(
                put,
                SpecificCharacterSet="ISO_IR 192",
                PatientID="87654321",
                PatientName="Probe^Taro=試験^太郎",
                SeriesDescription=description,
                StudyDescription=description,
            ),
            Expected(advice=True, volume=0.001, note=".", files=(SEG, SR, PDF), hidden=(hidden,)),
            pdf=True,
        )


def _descriptions() -> Iterator[Case]:
    for kind, text, expected in (
        ("words for contrast", CONTRAST, Expected(right=False, refusal="contrast")),
        ("words for no contrast", PLAIN, Expected()),
    ):
        for phrase in phrases(text):
            yield Case(
                kind=kind,
                variant=phrase,
                build=of_plain(_described, description=phrase),
                expected=expected,
                ask="list",
            )


def _described(slices: Slices, description: str) -> Slices:
    return put(slices[:6], SpecificCharacterSet="ISO_IR 192", SeriesDescription=description)
