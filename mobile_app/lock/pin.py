"""A PIN that locks the screen.

It keeps a person who picks the tablet up from reading studies. It does not encrypt: what protects the files
themselves is said in docs/privacy.md.

    hash   scrypt(PIN, random salt, N = 2^14, r = 8, p = 1)          RFC 7914
    delay  none for 3 wrong PINs, then 5, 10, 20, ... seconds, at most an hour

A try counts as wrong before it is compared, so ending the app in between gains nothing. The delay runs by
the device's clock; where that was set back the whole delay starts again. A clock set forward shortens it,
and to set it takes an unlocked device.
"""

from __future__ import annotations

import hashlib
import hmac
import secrets
from collections.abc import Callable
from datetime import datetime

from hemx_core.records import Json
from mobile_app.errors import PinError
from mobile_app.store import Store
from mobile_app.store._database import utc_now

MIN_LENGTH = 6
MAX_LENGTH = 64
FREE_TRIES = 3
FIRST_DELAY_SECONDS = 5.0
LONGEST_DELAY_SECONDS = 3600.0

_SETTING = "pin"
_COST = {"n": 2**14, "r": 8, "p": 1}
_MAX_MEMORY = 64 * 2**20


class PinLock:
    """The PIN of one store.

    Args:
        store: keeps the hash and the wrong tries.
        now: the clock; UTC.
    """

    def __init__(self, store: Store, *, now: Callable[[], datetime] = utc_now) -> None:
        self._store = store
        self._now = now

    @property
    def is_set(self) -> bool:
        """Whether a PIN is asked for."""
        return self._known() is not None

    def set(self, pin: str, *, old: str = "") -> None:
        """Set or change the PIN; takes some tens of milliseconds.

        Args:
            pin: 6 to 64 characters that are not all the same.
            old: the present PIN, where one is set.
        Raises:
            PinError: unsuitable, or the old one is wrong or comes too early.
        """
        if not MIN_LENGTH <= len(pin) <= MAX_LENGTH or len(set(pin)) == 1:
            raise PinError("pin_unfit", least=MIN_LENGTH, most=MAX_LENGTH)
        if self.is_set:
            self.check(old)
        salt = secrets.token_bytes(16)
        self._store.settings.set(
            _SETTING,
            {"salt": salt.hex(), "hash": _scrypt(pin, salt, _COST).hex(), **_COST}
            | {"failures": 0, "failed_at": None},
        )
        self._store.audit.note("pin.set")

    def clear(self, pin: str) -> None:
        """Ask for no PIN any more.

        Raises:
            PinError: the PIN is wrong or comes too early.
        """
        if self.is_set:
            self.check(pin)
            self._store.settings.set(_SETTING, None)
            self._store.audit.note("pin.cleared")

    def wait_seconds(self) -> float:
        """How long until the next try is looked at; 0 for now."""
        known = self._known()
        if known is None or known["failed_at"] is None:
            return 0.0
        delay = delay_seconds(known["failures"])
        passed = (self._now() - datetime.fromisoformat(known["failed_at"])).total_seconds()
        return delay - passed if 0 <= passed < delay else delay if passed < 0 else 0.0

    def check(self, pin: str) -> None:
        """Check a PIN.

        Raises:
            PinError: it is wrong, or comes too early and was not looked at.
        """
        known = self._known()
        if known is None:
            return
        wait = self.wait_seconds()
        if wait > 0:
            raise _too_early(wait)
        failures = known["failures"] + 1
        failed_at = self._now().isoformat()
        self._store.settings.set(_SETTING, known | {"failures": failures, "failed_at": failed_at})
        found = _scrypt(pin, bytes.fromhex(known["salt"]), known)
        if not hmac.compare_digest(found, bytes.fromhex(known["hash"])):
            self._store.audit.note("pin.wrong", failures=failures)
            raise PinError("pin_wrong")
        self._store.settings.set(_SETTING, known | {"failures": 0, "failed_at": None})

    def _known(self) -> Json | None:
        known: Json | None = self._store.settings.get(_SETTING)
        return known


def delay_seconds(failures: int) -> float:
    """Delay after so many wrong tries in a row."""
    if failures < FREE_TRIES:
        return 0.0
    return min(LONGEST_DELAY_SECONDS, FIRST_DELAY_SECONDS * 2.0 ** min(failures - FREE_TRIES, 20))


def _scrypt(pin: str, salt: bytes, cost: Json) -> bytes:
    return hashlib.scrypt(
        pin.encode("utf-8"),
        salt=salt,
        n=cost["n"],
        r=cost["r"],
        p=cost["p"],
        maxmem=_MAX_MEMORY,
        dklen=32,
    )


def _too_early(seconds: float) -> PinError:
    return PinError("pin_too_early", seconds=seconds)
