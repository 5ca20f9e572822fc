"""Whether two identities are of one person: name, ID and issuer, birth date, sex, fact by fact.

Different facts mean two people, unless other facts outweigh them: a name changes with marriage, an ID
with the hospital, a digit with whoever types it. Nothing is taken for the same because both lack it.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from enum import IntEnum
from functools import lru_cache
from types import MappingProxyType

from hemx_core.imaging.folding import fold
from hemx_core.imaging.names import Likeness, likeness, names_somebody
from hemx_core.imaging.volume import SeriesIdentity


class Agreement(IntEnum):
    """What two values of one fact say."""

    DIFFERENT = 0
    NEAR = 1
    """A slip of the hand apart: outweighed by the same ID and name."""
    ALIKE = 2
    """The same, written less fully."""
    SAME = 3


NAME, ID, BIRTH, SEX, AGE = "patient_name", "patient_id", "birth_date", "sex", "age"
_OLDEST_YEAR, _NEWEST_YEAR = 1880, 2100
_FULL_DATE, _YEAR_DIGITS = 8, 4
_STAND_IN_DATES = frozenset({"19000101", "19010101", "18991230", "19700101", "20000101"})
_AGE_SLACK_YEARS, _AGE_GUESS_YEARS = 2.0, 10.0
_DAYS_A_YEAR = 365.25


@dataclass(frozen=True, slots=True, kw_only=True)
class Match:
    """Two identities fact by fact.

    Args:
        facts: agreement of each fact that both tell.
        issuers_differ: both tell who gave the ID, and it was not the same: their IDs prove nothing.
        sites_differ: both tell where they were made, and it was not the same place.
        shared_name: the names differ, but share a part.
    """

    facts: Mapping[str, Agreement]
    issuers_differ: bool
    sites_differ: bool
    shared_name: bool

    def _is(self, fact: str, least: Agreement = Agreement.SAME) -> bool:
        return self.facts.get(fact, Agreement.DIFFERENT) >= least

    @property
    def differing(self) -> tuple[str, ...]:
        """Facts that say "two people" and are not outweighed."""
        return tuple(
            fact
            for fact, agreement in self.facts.items()
            if agreement <= Agreement.NEAR and not self._outweighed(fact)
        )

    @property
    def doubtful(self) -> tuple[str, ...]:
        """Facts that differ and are outweighed by the others: to be looked at."""
        return tuple(
            fact
            for fact, agreement in self.facts.items()
            if agreement <= Agreement.NEAR and self._outweighed(fact) and not self._slight(fact)
        )

    @property
    def alike(self) -> tuple[str, ...]:
        """Facts that are not quite the same, and no reason for doubt."""
        return tuple(
            fact
            for fact, agreement in self.facts.items()
            if agreement is Agreement.ALIKE or (agreement <= Agreement.NEAR and self._slight(fact))
        )

    @property
    def by_id(self) -> bool:
        """Whether the ID proves one person."""
        return self._is(ID)

    @property
    def same(self) -> bool:
        """Whether it is proven that both are one person: by the ID, or by name and full birth date."""
        named = self._is(NAME, Agreement.ALIKE) and self._is(BIRTH)
        return not self.differing and (self.by_id or named)

    def _outweighed(self, fact: str) -> bool:
        if fact == NAME:
            return self._is(ID) and (self._is(BIRTH) or self._slight(NAME))
        if fact == ID:
            # Another hospital gives another number, and few headers tell whose it is.
            return self.sites_differ and self._is(NAME) and self._is(BIRTH)
        near = self.facts[fact] is Agreement.NEAR
        return fact in (BIRTH, AGE) and near and self._is(ID) and self._is(NAME)

    def _slight(self, fact: str) -> bool:
        """A name mistyped or changed by marriage, under one ID and, for the latter, one birth date."""
        if fact != NAME or not self._is(ID) or self.facts.get(BIRTH) is Agreement.DIFFERENT:
            return False
        return self.facts[NAME] is Agreement.NEAR or (self.shared_name and self._is(BIRTH))


def match(one: SeriesIdentity, other: SeriesIdentity) -> Match:
    """Compare two identities."""
    named = likeness(one.patient_name, other.patient_name)
    issuers = [fold(each.issuer).strip() for each in (one, other)]
    sites = [fold(each.site).strip() for each in (one, other)]
    issuers_differ = all(issuers) and issuers[0] != issuers[1]
    found = {
        NAME: None if named is None else _NAMES[named],
        ID: None if issuers_differ else _ids(one, other),
        BIRTH: _births(one.birth_date, other.birth_date),
        SEX: _sexes(one.sex, other.sex),
    }
    if found[BIRTH] is None:
        found[AGE] = _ages(one, other)
    return Match(
        facts=MappingProxyType({fact: told for fact, told in found.items() if told is not None}),
        issuers_differ=issuers_differ,
        sites_differ=all(sites) and sites[0] != sites[1],
        shared_name=named is Likeness.SHARED,
    )


def count_people(people: Sequence[SeriesIdentity]) -> int:
    """How many people identities are of: those of one person, and those told in the same words, are one."""
    known: list[SeriesIdentity] = []
    for person in people:
        if not any(_told(person) == _told(one) or match(person, one).same for one in known):
            known.append(person)
    return len(known)


def _told(person: SeriesIdentity) -> tuple[str, ...]:
    return person.patient_id, person.patient_name, person.birth_date, person.sex, person.issuer


_NAMES = {
    Likeness.DIFFERENT: Agreement.DIFFERENT,
    Likeness.SHARED: Agreement.DIFFERENT,
    Likeness.NEAR: Agreement.NEAR,
    Likeness.ALIKE: Agreement.ALIKE,
    Likeness.SAME: Agreement.SAME,
}


def _ids(one: SeriesIdentity, other: SeriesIdentity) -> Agreement | None:
    """By the patient ID; another ID that both have counts too."""
    first, second = (
        {_plain_id(value) for value in (each.patient_id, *each.other_ids) if names_somebody(value)}
        for each in (one, other)
    )
    if first & second:
        return Agreement.SAME
    told = names_somebody(one.patient_id) and names_somebody(other.patient_id)
    return Agreement.DIFFERENT if told else None


@lru_cache(maxsize=4096)
def _plain_id(value: str) -> str:
    """An ID without case, blanks, hyphens and leading zeros."""
    return re.sub(r"(?<!\d)0+(?=\d)", "", re.sub(r"[\W_]", "", fold(value)))


def _births(one: str, other: str) -> Agreement | None:
    first, second = _date(one), _date(other)
    if not first or not second:
        return None
    short, long = sorted((first, second), key=len)
    if short == long:
        # A year alone proves no birth date.
        return Agreement.SAME if len(short) == _FULL_DATE else Agreement.ALIKE
    if len(short) < _FULL_DATE and long.startswith(short):
        return Agreement.ALIKE
    if len(short) < _FULL_DATE:
        return Agreement.DIFFERENT
    one_digit = sum(a != b for a, b in zip(short, long, strict=True)) == 1
    exchanged = first[4:] == second[6:] + second[4:6] and first[:4] == second[:4]
    year_alone = first[:4] == second[:4] and "0101" in (first[4:], second[4:])
    return Agreement.NEAR if one_digit or exchanged or year_alone else Agreement.DIFFERENT


def _date(told: str) -> str:
    """YYYYMMDD, YYYYMM or YYYY of a birth date as found; empty where none is told or a stand-in is."""
    digits = re.sub(r"\D", "", fold(told))
    if len(digits) == _FULL_DATE and not _is_year(digits[:4]) and _is_year(digits[4:]):
        digits = digits[4:]  # day and month before the year, in an order that is not known
    if len(digits) not in (4, 6, 8) or not _is_year(digits[:4]) or digits in _STAND_IN_DATES:
        return ""
    while len(digits) > _YEAR_DIGITS and digits.endswith("00"):
        digits = digits[:-2]
    return digits


def _is_year(digits: str) -> bool:
    return _OLDEST_YEAR <= int(digits) <= _NEWEST_YEAR


_SEXES = {
    "m": "m", "male": "m", "男": "m", "男性": "m", "f": "f", "female": "f", "w": "f", "女": "f", "女性": "f",
}  # fmt: skip


def _sexes(one: str, other: str) -> Agreement | None:
    first, second = (_SEXES.get(fold(sex).strip()) for sex in (one, other))
    if first is None or second is None:
        return None
    return Agreement.SAME if first == second else Agreement.DIFFERENT


def _ages(one: SeriesIdentity, other: SeriesIdentity) -> Agreement | None:
    """Whether ages fit the time between; None where they do, because many people are of one age."""
    first, second = _years(one.age), _years(other.age)
    if first is None or second is None:
        return None
    between = 0.0
    if one.acquired_at and other.acquired_at:
        days = other.acquired_at.replace(tzinfo=None) - one.acquired_at.replace(tzinfo=None)
        between = days.days / _DAYS_A_YEAR
    off = abs(second - first - between)
    if off <= _AGE_SLACK_YEARS:
        return None
    return Agreement.NEAR if off <= _AGE_GUESS_YEARS else Agreement.DIFFERENT


_UNITS = {"D": 1 / _DAYS_A_YEAR, "W": 7 / _DAYS_A_YEAR, "M": 1 / 12, "Y": 1.0}


def _years(age: str) -> float | None:
    """An age string (AS), years; None where it is none or 0 years, which stands for unknown."""
    found = re.fullmatch(r"(\d{1,3})([DWMY])", age.strip().upper())
    if found is None or not int(found[1]):
        return None
    return int(found[1]) * _UNITS[found[2]]
