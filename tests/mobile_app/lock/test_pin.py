from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path

import pytest

from mobile_app.errors import DamagedStoreError, PinError, StoreFullError
from mobile_app.lock import pin as pins
from mobile_app.lock.pin import PinLock, delay_seconds
from mobile_app.store import Store


class Clock:
    """Seconds since the device was started."""

    def __init__(self) -> None:
        self.at = 10_000.0

    def __call__(self) -> float:
        return self.at

    def go(self, seconds: float) -> None:
        self.at += seconds


@pytest.fixture
def store(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Store]:
    # The hash is as strong as the cost; what it costs is no matter of these tests but one.
    monkeypatch.setitem(pins._COST, "n", 2**4)
    with Store(tmp_path) as opened:
        yield opened


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def lock(store: Store, clock: Clock) -> PinLock:
    made = PinLock(store, clock=clock)
    made.set("135790")
    return made


def test_the_right_pin_passes_and_no_other(lock: PinLock) -> None:
    assert lock.is_set
    lock.check("135790")
    for wrong in ("135791", "", "13579"):
        with pytest.raises(PinError, match="wrong"):
            lock.check(wrong)


def test_without_a_pin_nothing_is_asked(store: Store) -> None:
    lock = PinLock(store)
    assert not lock.is_set
    lock.check("anything")
    assert lock.wait_seconds() == 0


def test_the_delay_grows_and_outlives_the_app(lock: PinLock, store: Store, clock: Clock) -> None:
    for _ in range(3):
        with pytest.raises(PinError, match="wrong"):
            lock.check("000001")
    waits = []
    for _ in range(4):
        again = PinLock(store, clock=clock)
        waits.append(again.wait_seconds())
        clock.go(waits[-1] - 0.5)
        with pytest.raises(PinError, match="too many"):
            again.check("135790")
        clock.go(0.5)
        with pytest.raises(PinError, match="wrong"):
            again.check("000001")
    assert waits == [5, 10, 20, 40]
    clock.go(80)
    lock.check("135790")
    assert lock.wait_seconds() == 0
    with pytest.raises(PinError, match="wrong"):
        lock.check("000001")
    assert lock.wait_seconds() == 0, "the right PIN starts the count again"


def _fail(lock: PinLock, times: int = 3) -> None:
    for _ in range(times):
        with pytest.raises(PinError, match="wrong"):
            lock.check("000001")


def test_the_date_and_time_of_day_do_not_enter(
    store: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    lock = PinLock(store)
    lock.set("135790")
    _fail(lock)
    monkeypatch.setattr("time.time", lambda: 4e9)
    store._context.now = lambda: datetime(2040, 1, 1, tzinfo=UTC)
    assert 0 < lock.wait_seconds() <= 5
    with pytest.raises(PinError, match="too many"):
        lock.check("135790")


def test_a_restart_does_not_shorten_the_delay(lock: PinLock, store: Store, clock: Clock) -> None:
    _fail(lock)
    clock.at = 2.0  # the device was started again two seconds ago
    again = PinLock(store, clock=clock)
    assert again.wait_seconds() == 3
    clock.go(3)
    again.check("135790")


def test_a_pin_of_before_is_read(lock: PinLock, store: Store) -> None:
    kept = store.settings.get("pin")
    kept.pop("failed_up")
    store.settings.set("pin", kept | {"failed_at": "2026-11-24T00:00:00+00:00"})
    lock.check("135790")


@pytest.mark.parametrize(
    "change",
    [
        {"salt": "zz"},
        {"salt": None},
        {"hash": "00"},
        {"n": 3},
        {"n": 2**40},
        {"n": True},
        {"r": 0},
        {"p": "1"},
        {"failures": -1},
        {"failures": 1.5},
        {"failed_up": "now"},
        {"failed_up": float("nan")},
        {"extra": 1},
        None,
    ],
)
def test_a_damaged_pin_stays_locked_and_says_so(
    lock: PinLock, store: Store, change: dict[str, object] | None
) -> None:
    junk = [1, 2] if change is None else store.settings.get("pin") | change
    store.settings.set("pin", junk)
    assert lock.is_set
    assert lock.wait_seconds() == 0
    for act in (
        lambda: lock.check("135790"),
        lambda: lock.clear("135790"),
        lambda: lock.set("864213", old="135790"),
    ):
        with pytest.raises(DamagedStoreError, match="PIN is damaged"):
            act()
    assert lock.is_set


def test_a_full_medium_takes_no_try_back(
    lock: PinLock, store: Store, clock: Clock, monkeypatch: pytest.MonkeyPatch
) -> None:
    def full(*_args: object, **_more: object) -> None:
        raise StoreFullError("no_room_for_result")

    monkeypatch.setattr(store.settings, "set", full)
    monkeypatch.setattr(store.audit, "note", full)
    _fail(lock)
    assert lock.wait_seconds() == 5
    clock.go(5)
    lock.check("135790")


@pytest.mark.parametrize(
    "pin",
    [
        "123456", "654321", "234567", "abcdef", "890123", "121212", "123123", "aabaab", "Password", "147258",
        "qwerty", "098765",
    ],
)  # fmt: skip
def test_a_pin_that_anybody_tries_first_is_refused(store: Store, pin: str) -> None:
    with pytest.raises(PinError, match="guessed at once"):
        PinLock(store).set(pin)


@pytest.mark.parametrize("pin", ["135790", "246802", "491827", "112358", "blue42", "000001"])
def test_other_pins_are_taken(store: Store, pin: str) -> None:
    PinLock(store).set(pin)


def test_the_wait_runs_down_by_the_clock_to_nothing(lock: PinLock, clock: Clock) -> None:
    for _ in range(3):
        with pytest.raises(PinError, match="wrong"):
            lock.check("000001")
    waits = []
    for _ in range(6):
        waits.append(lock.wait_seconds())
        clock.go(1.0)
    assert waits == [5, 4, 3, 2, 1, 0]


def test_the_right_pin_starts_the_count_at_nothing(lock: PinLock, store: Store) -> None:
    with pytest.raises(PinError, match="wrong"):
        lock.check("000001")
    lock.check("135790")
    assert store.settings.get("pin")["failures"] == 0
    assert store.settings.get("pin")["failed_up"] is None


def test_the_longest_pin_has_64_characters(store: Store, clock: Clock) -> None:
    lock = PinLock(store, clock=clock)
    longest = "abcx" * 16
    lock.set(longest)
    lock.check(longest)
    for bad in ("abcx" * 16 + "a", "abxya"):
        with pytest.raises(PinError, match="too short, too long"):
            lock.set(bad, old=longest)


def test_the_delay_ends_at_an_hour() -> None:
    assert [delay_seconds(count) for count in (0, 2, 3, 4, 12, 13, 10_000)] == [
        0, 0, 5, 10, 2560, 3600, 3600,
    ]  # fmt: skip


def test_a_try_counts_before_it_is_compared(
    lock: PinLock, clock: Clock, monkeypatch: pytest.MonkeyPatch
) -> None:
    class Killed(BaseException):
        pass

    def killed(*_args: object, **_cost: int) -> bytes:
        raise Killed

    with monkeypatch.context() as patch:
        patch.setattr(pins, "_scrypt", killed)
        for _ in range(3):
            with pytest.raises(Killed):
                lock.check("135790")
    assert lock.wait_seconds() == 5


@pytest.mark.parametrize("bad", ["", "12345", "1" * 6, "x" * 65])
def test_an_unsuitable_pin_is_refused(store: Store, bad: str) -> None:
    lock = PinLock(store)
    with pytest.raises(PinError):
        lock.set(bad)
    assert not lock.is_set


def test_changing_and_clearing_ask_for_the_present_pin(lock: PinLock) -> None:
    with pytest.raises(PinError, match="wrong"):
        lock.set("246802", old="135791")
    lock.set("246802", old="135790")
    lock.check("246802")
    with pytest.raises(PinError, match="wrong"):
        lock.clear("135790")
    lock.clear("246802")
    assert not lock.is_set


def test_neither_the_pin_nor_an_unsalted_hash_is_stored(lock: PinLock, store: Store) -> None:
    first = store.settings.get("pin")
    lock.set("135790", old="135790")
    second = store.settings.get("pin")
    assert first["hash"] != second["hash"]
    assert first["salt"] != second["salt"]
    assert (len(first["salt"]), len(first["hash"])) == (2 * 16, 2 * 32)
    assert "135790" not in str(first)
    assert [one.action for one in store.audit.entries()] == ["pin.set", "pin.set"]


def _noted(store: Store) -> list[str]:
    return [entry.action for entry in store.audit.entries()]


def test_wrong_pins_and_a_cleared_one_are_in_the_audit(lock: PinLock, store: Store) -> None:
    for _ in range(2):
        with pytest.raises(PinError, match="wrong"):
            lock.check("000001")
    assert sorted(_noted(store)) == ["pin.set", "pin.wrong", "pin.wrong"]
    counts = [
        entry.detail["failures"] for entry in store.audit.entries() if entry.action == "pin.wrong"
    ]
    assert sorted(counts) == [1, 2]
    lock.check("135790")
    assert sorted(_noted(store)) == ["pin.set", "pin.wrong", "pin.wrong"], "a right one is no entry"
    lock.clear("135790")
    assert sorted(_noted(store)) == ["pin.cleared", "pin.set", "pin.wrong", "pin.wrong"]
    lock.clear("135790")
    assert _noted(store).count("pin.cleared") == 1, "there was none to clear"


def test_the_full_cost_is_what_is_used(tmp_path: Path) -> None:
    with Store(tmp_path) as store:
        lock = PinLock(store)
        lock.set("135790")
        kept = store.settings.get("pin")
        assert (kept["n"], kept["r"], kept["p"]) == (2**14, 8, 1)
        lock.check("135790")
