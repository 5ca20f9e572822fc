"""What the tags of a CT file say of contrast medium: agent, volume, dose, flow, route and times."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import lru_cache

from pydicom.dataset import Dataset

from hemx_core.imaging.contrast import Said, is_bare, read_agent, read_route, read_words
from hemx_core.imaging.parse import items, numbers, text
from hemx_core.notes import Note, Phrase, Severity

TAGS = (
    "ContrastBolusAgent",
    "ContrastBolusAgentSequence",
    "ContrastBolusVolume",
    "ContrastBolusTotalDose",
    "ContrastFlowRate",
    "ContrastFlowDuration",
    "ContrastBolusRoute",
    "ContrastBolusAdministrationRouteSequence",
    "ContrastBolusStartTime",
    "ContrastBolusStopTime",
    "ContrastBolusIngredient",
    "ContrastBolusIngredientConcentration",
)
"""The tags at the top of a data set."""
_AMOUNTS = ("ContrastBolusVolume", "ContrastBolusTotalDose")
_HINTS = ("ContrastFlowRate", "ContrastFlowDuration", "ContrastBolusIngredientConcentration")
_TIMES = ("ContrastBolusStartTime", "ContrastBolusStopTime")


@dataclass(frozen=True, slots=True, kw_only=True)
class ContrastTags:
    """The values that are there; empty where none is.

    Args:
        agents: what the agent is called, of every item.
        amounts: keyword and value of volume and total dose, mL.
        hints: the same of flow (mL/s), its duration (s) and the concentration (mg/mL).
        routes: how it was given.
        times: keyword and time of day as written.
        ingredients: iodine and the like.
        administered: of Enhanced CT: whether any frame was taken after it was given; None where
            that is not told.
    """

    agents: tuple[str, ...] = ()
    amounts: tuple[tuple[str, float], ...] = ()
    hints: tuple[tuple[str, float], ...] = ()
    routes: tuple[str, ...] = ()
    times: tuple[tuple[str, str], ...] = ()
    ingredients: tuple[str, ...] = ()
    administered: bool | None = None


def read_tags(dataset: Dataset, groups: Sequence[Dataset] = ()) -> ContrastTags:
    """The contrast tags of a file.

    Args:
        dataset: the file's header.
        groups: functional groups of all frames, and the shared ones.
    """
    agents = items(dataset, "ContrastBolusAgentSequence")
    holders = [dataset, *agents]
    for agent in agents:
        holders.extend(items(agent, "ContrastAdministrationProfileSequence"))
    return ContrastTags(
        agents=(*_texts([dataset], "ContrastBolusAgent"), *filter(None, map(_coded_agent, agents))),
        amounts=tuple(_values(holders, _AMOUNTS)),
        hints=tuple(_values(holders, _HINTS)),
        routes=(
            *_texts(holders, "ContrastBolusRoute"),
            *_codes(holders, "ContrastBolusAdministrationRouteSequence"),
        ),
        times=tuple((name, value) for name in _TIMES for value in _texts(holders, name)),
        ingredients=(
            *_texts(holders, "ContrastBolusIngredient"),
            *_codes(holders, "ContrastBolusIngredientCodeSequence"),
        ),
        administered=_administered(groups),
    )


def _coded_agent(item: Dataset) -> str:
    """Its meaning or code; an item that only has other values still stands for an agent."""
    named = text(item, "CodeMeaning") or text(item, "CodeValue") or text(item, "LongCodeValue")
    return named or ("an agent" if len(item) else "")


def _texts(holders: Sequence[Dataset], keyword: str) -> tuple[str, ...]:
    found = (text(holder, keyword).strip("\\ ") for holder in holders)
    return tuple(dict.fromkeys(filter(None, found)))


def _codes(holders: Sequence[Dataset], keyword: str) -> tuple[str, ...]:
    return _texts([item for holder in holders for item in items(holder, keyword)], "CodeMeaning")


def _values(holders: Sequence[Dataset], names: Sequence[str]) -> Iterator[tuple[str, float]]:
    for name in names:
        for holder in holders:
            value = numbers(holder, name, 1)
            if value is not None:
                yield name, value[0]


def _administered(groups: Sequence[Dataset]) -> bool | None:
    told = {
        text(usage, "ContrastBolusAgentAdministered").upper()
        for group in groups
        for usage in items(group, "ContrastBolusUsageSequence")
    } - {""}
    return "YES" in told if told else None


@dataclass(frozen=True, slots=True, kw_only=True)
class TagsSay:
    """What the tags come to.

    Args:
        said: whether contrast medium was given.
        for_it: the strongest sign that it was; None where there is none.
        against: a sign that it was not, beside one that it was: the tags contradict each other.
    """

    said: Said
    for_it: Phrase | None = None
    against: Phrase | None = None


@lru_cache(maxsize=1024)
def tags_say(tags: ContrastTags) -> TagsSay:
    """Weigh the tags.

    An agent, a volume or dose above zero, and "administered" of Enhanced CT are strong; flow,
    route, times and ingredients are what a protocol may have filled in: they count where nothing
    strong stands against them. Contrast medium that was only swallowed does not reach the head.
    """
    strong = [*_agents(tags, Said.GIVEN), *_used(tags, given=True)]
    strong += [_sign(name, value) for name, value in tags.amounts if value > 0]
    against = [*_agents(tags, Said.NOT_GIVEN), *_used(tags, given=False)]
    against += [_sign(name, value) for name, value in tags.amounts if value <= 0]
    weak = [_sign(name, value) for name, value in tags.hints if value > 0]
    weak += [_sign("ContrastBolusRoute", route) for route in tags.routes if read_route(route)]
    weak += [_sign(name, time) for name, time in tags.times if time.strip("0:. ")]
    weak += [
        _sign("ContrastBolusIngredient", name)
        for name in tags.ingredients
        if read_agent(name) is Said.GIVEN
    ]
    if tags.routes and not any(map(read_route, tags.routes)):
        return TagsSay(said=Said.NOTHING)
    if strong:
        return TagsSay(said=Said.GIVEN, for_it=strong[0], against=next(iter(against), None))
    if against:
        return TagsSay(said=Said.NOT_GIVEN)
    return TagsSay(said=Said.GIVEN if weak else Said.NOTHING, for_it=next(iter(weak), None))


def _agents(tags: ContrastTags, said: Said) -> list[Phrase]:
    return [
        Phrase("contrast.agent", agent=name) for name in tags.agents if read_agent(name) is said
    ]


def _used(tags: ContrastTags, *, given: bool) -> list[Phrase]:
    if tags.administered is not given:
        return []
    return [_sign("ContrastBolusAgentAdministered", "YES" if given else "NO")]


def _sign(tag: str, value: float | str) -> Phrase:
    return Phrase("contrast.tag", tag=tag, value=value if isinstance(value, str) else f"{value:g}")


@dataclass(frozen=True, slots=True, kw_only=True)
class Verdict:
    """What a slice's header comes to, words and tags together.

    Args:
        given: what says that contrast medium was given; None where the slice may be read.
        doubt: what is to be told where it is read: that words or tags contradict each other, or
            that a word may mean contrast.
        plain: whether anything says that none was given.
        bare: whether only a word such as "POST" says that it was given, which may be a later scan
            without it.
    """

    given: Phrase | None = None
    doubt: Note | None = None
    plain: bool = False
    bare: bool = False


@lru_cache(maxsize=1024)
def judge(description: str, tags: ContrastTags) -> Verdict:
    """Words and tags together.

    A description that says contrast is believed, whatever the tags say: they often stay empty.
    Tags are believed unless the description or another tag says that none was given: then the
    series is read with a warning, and the picture is asked.

    Args:
        description: of the series. Study and protocol descriptions are left out: they stand over
            plain and enhanced series alike.
        tags: of the file.
    """
    words, told = read_words(description), tags_say(tags)
    described = Phrase("contrast.description", description=description)
    if words is Said.GIVEN:
        return Verdict(given=described, bare=told.said is not Said.GIVEN and is_bare(description))
    if told.said is Said.GIVEN:
        against = described if words is Said.NOT_GIVEN else told.against
        if against is None:
            return Verdict(given=told.for_it)
        return Verdict(doubt=_contradiction(told.for_it or described, against))
    if words is Said.UNSURE and told.said is not Said.NOT_GIVEN:
        return Verdict(doubt=Note("contrast_unsure", Severity.CAUTION, sign=described))
    return Verdict(plain=Said.NOT_GIVEN in (words, told.said))


def _contradiction(sign: Phrase, against: Phrase) -> Note:
    return Note("contrast_contradicted", Severity.WARNING, sign=sign, against=against)
