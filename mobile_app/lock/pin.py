"""A PIN that locks the screen.

It keeps a person who picks the tablet up from reading studies. It does not encrypt: what protects the files
themselves is said in docs/privacy.md.

    hash   scrypt(PIN, random salt, N = 2^14, r = 8, p = 1)          RFC 7914
    delay  none for 3 wrong PINs, then 5, 10, 20, ... seconds, at most an hour

A try counts as wrong before it is compared, so ending the app in between gains nothing. The delay runs by
the time since the device was started, which nobody sets: the date and time of day do not enter. After a
restart it runs from there, so it may take longer, never shorter.
"""

from __future__ import annotations

import contextlib
import hashlib
import hmac
import math
import secrets
import time
from collections.abc import Callable
from dataclasses import asdict, dataclass, replace
from itertools import pairwise
from typing import Any

from mobile_app.errors import DamagedStoreError, PinError, StoreFullError
from mobile_app.store import PIN, Store

MIN_LENGTH = 6
MAX_LENGTH = 64
FREE_TRIES = 3
FIRST_DELAY_SECONDS = 5.0
LONGEST_DELAY_SECONDS = 3600.0

_COST = {"n": 2**14, "r": 8, "p": 1}
_MAX_MEMORY = 64 * 2**20

WELL_KNOWN = (
    "password",
    "passw0rd",
    "qwerty",
    "qwertz",
    "azerty",
    "asdfgh",
    "letmein",
    "147258",
    "147258369",
    "159753",
    "159357",
    "258456",
    "123654",
    "112233",
    "121314",
    "102030",
    "246810",
    "135791",
)
"""What people choose first, apart from sequences and repetitions; without case."""


def seconds_going_on() -> float:
    """Seconds that only go forward, also while the device sleeps where the system counts that."""
    boot = getattr(time, "CLOCK_BOOTTIME", None)
    return time.monotonic() if boot is None else time.clock_gettime(boot)


def is_trivial(pin: str) -> bool:
    """Whether a PIN is among the first that anybody tries: a sequence, a repetition, a well-known one."""
    plain = pin.casefold()
    steps = {ord(after) - ord(before) for before, after in pairwise(plain)}
    repeats = any(
        plain == (plain[:length] * len(plain))[: len(plain)]
        for length in range(1, min(3, len(plain) // 2) + 1)
    )
    circular = plain in "0123456789" * 2 or plain in "9876543210" * 2
    return steps <= {1} or steps <= {-1} or repeats or circular or plain in WELL_KNOWN


@dataclass(frozen=True, slots=True, kw_only=True)
class KeptPin:
    """What is stored of a PIN.

    Args:
        salt, hash: hexadecimal.
        n, r, p: cost of scrypt.
        failures: wrong PINs in a row.
        failed_up: `seconds_going_on` at the last wrong one; None where there was none.
    """

    salt: str
    hash: str
    n: int
    r: int
    p: int
    failures: int = 0
    failed_up: float | None = None

    @classmethod
    def read(cls, values: Any) -> KeptPin:
        """What the store has, once it can be nothing else.

        Raises:
            DamagedStoreError: it is no stored PIN.
        """
        try:
            # Before, the time of the last wrong PIN was one of the day: `failed_at`.
            known = {name: value for name, value in values.items() if name != "failed_at"}
            kept = cls(**known)
            numbers = (kept.n, kept.r, kept.p, kept.failures)
            sound = (
                all(type(number) is int for number in numbers)
                and len(bytes.fromhex(kept.salt)) == 16
                and len(bytes.fromhex(kept.hash)) == 32
                and kept.n >= 2
                and kept.n & (kept.n - 1) == 0
                and kept.r >= 1
                and 128 * kept.n * kept.r <= _MAX_MEMORY // 2
                and 1 <= kept.p <= 4
                and kept.failures >= 0
                and (
                    kept.failed_up is None
                    or (type(kept.failed_up) in (int, float) and math.isfinite(kept.failed_up))
                )
            )
        except (TypeError, ValueError, AttributeError) as error:
            raise DamagedStoreError("pin_damaged") from error
        if not sound:
            raise DamagedStoreError("pin_damaged")
        return kept


class PinLock:
    """The PIN of one store.

    Args:
        store: keeps the hash and the wrong tries.
        clock: see `seconds_going_on`.
    """

    def __init__(self, store: Store, *, clock: Callable[[], float] = seconds_going_on) -> None:
        self._store = store
        self._clock = clock
        self._unwritten: KeptPin | None = None
        """Wrong tries that a full medium did not take; they count all the same."""

    @property
    def is_set(self) -> bool:
        """Whether a PIN is asked for; also where the stored one is damaged."""
        try:
            return self._known() is not None
        except DamagedStoreError:
            return True

    def set(self, pin: str, *, old: str = "") -> None:
        """Set or change the PIN; takes some tens of milliseconds.

        Args:
            pin: 6 to 64 characters that are not guessed at once, see `is_trivial`.
            old: the present PIN, where one is set.
        Raises:
            PinError: unsuitable, or the old one is wrong or comes too early.
            DamagedStoreError: the stored one is damaged.
        """
        if not MIN_LENGTH <= len(pin) <= MAX_LENGTH or len(set(pin)) == 1:
            raise PinError("pin_unfit", least=MIN_LENGTH, most=MAX_LENGTH)
        if is_trivial(pin):
            raise PinError("pin_trivial")
        if self.is_set:
            self.check(old)
        salt = secrets.token_bytes(16)
        kept = KeptPin(salt=salt.hex(), hash=_scrypt(pin, salt, **_COST).hex(), **_COST)
        self._store.settings.set(PIN, asdict(kept))
        self._unwritten = None
        self._store.audit.note("pin.set")

    def clear(self, pin: str) -> None:
        """Ask for no PIN any more.

        Raises:
            PinError: the PIN is wrong or comes too early.
        """
        if self.is_set:
            self.check(pin)
            self._store.settings.set(PIN, None)
            self._unwritten = None
            self._store.audit.note("pin.cleared")

    def wait_seconds(self) -> float:
        """How long until the next try is looked at; 0 for now."""
        try:
            known = self._known()
        except DamagedStoreError:
            return 0.0
        if known is None or known.failed_up is None:
            return 0.0
        delay, now = delay_seconds(known.failures), self._clock()
        # Since a restart at least the time that the device is up has passed.
        passed = now - known.failed_up if now >= known.failed_up else max(0.0, now)
        return max(0.0, delay - passed)

    def check(self, pin: str) -> None:
        """Check a PIN.

        Raises:
            PinError: it is wrong, or comes too early and was not looked at.
            DamagedStoreError: the stored one is damaged: none is right.
        """
        known = self._known()
        if known is None:
            return
        wait = self.wait_seconds()
        if wait > 0:
            raise _too_early(wait)
        failures = known.failures + 1
        self._write(replace(known, failures=failures, failed_up=self._clock()))
        found = _scrypt(pin, bytes.fromhex(known.salt), n=known.n, r=known.r, p=known.p)
        if not hmac.compare_digest(found, bytes.fromhex(known.hash)):
            with contextlib.suppress(StoreFullError):
                self._store.audit.note("pin.wrong", failures=failures)
            raise PinError("pin_wrong")
        self._write(replace(known, failures=0, failed_up=None))

    def _write(self, kept: KeptPin) -> None:
        """On a full medium in memory: the right PIN must open the app, where studies can be deleted."""
        try:
            self._store.settings.set(PIN, asdict(kept))
            self._unwritten = None
        except StoreFullError:
            self._unwritten = kept

    def _known(self) -> KeptPin | None:
        if self._unwritten is not None:
            return self._unwritten
        values = self._store.settings.get(PIN)
        return None if values is None else KeptPin.read(values)


def delay_seconds(failures: int) -> float:
    """Delay after so many wrong tries in a row."""
    if failures < FREE_TRIES:
        return 0.0
    return min(LONGEST_DELAY_SECONDS, FIRST_DELAY_SECONDS * 2.0 ** min(failures - FREE_TRIES, 20))


def _scrypt(pin: str, salt: bytes, *, n: int, r: int, p: int) -> bytes:
    return hashlib.scrypt(
        pin.encode("utf-8", "surrogatepass"),
        salt=salt,
        n=n,
        r=r,
        p=p,
        maxmem=_MAX_MEMORY,
        dklen=32,
    )


def _too_early(seconds: float) -> PinError:
    return PinError("pin_too_early", seconds=seconds)
