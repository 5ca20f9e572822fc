"""The app's settings by name and type; stored values are checked before use."""

from __future__ import annotations

import os
from pathlib import Path
from typing import TYPE_CHECKING

from hemx_core.errors import VolumeError

if TYPE_CHECKING:
    from hemx_core.imaging.spec import HUWindow
    from mobile_app.store import Store

LANGUAGES = ("en", "ja")

LANGUAGE = "language"
ACTOR = "actor"
WINDOW = "window_hu"
THREADS = "threads"
HIDES_NAMES = "hides_names"
IMPORT_FOLDER = "import_folder"
LOCK_MINUTES = "lock_minutes"
LABEL_KEY = "label_key"

MINUTES = (1, 2, 5, 10, 30)
"""Times without a touch after which the app may lock; there is no "never": a PIN that never comes is none."""
DEFAULT_MINUTES = 5

LOWEST_HU, HIGHEST_HU = -1024.0, 3071.0


def language(store: Store) -> str:
    """'en' or 'ja'; at first the system's if it is one of them."""
    stored = store.settings.get(LANGUAGE)
    if stored in LANGUAGES:
        return str(stored)
    return system_language()


def system_language() -> str:
    """The system's language if the app speaks it, else English."""
    system = os.environ.get("LC_ALL") or os.environ.get("LC_MESSAGES") or os.environ.get("LANG", "")
    return "ja" if system.startswith("ja") else "en"


def set_language(store: Store, code: str) -> None:
    """Keep the language."""
    store.settings.set(LANGUAGE, code)


def actor(store: Store) -> str:
    """Who uses the app, for the audit trail; empty if not set."""
    return str(store.settings.get(ACTOR, ""))


def set_actor(store: Store, name: str) -> None:
    """Keep and use the name from now on."""
    name = " ".join(name.split())[:80]
    store.settings.set(ACTOR, name or None)
    store.act_as(name)


def window(store: Store) -> HUWindow | None:
    """The site's window; None where the bundle's is used."""
    from hemx_core.imaging.spec import HUWindow

    stored = store.settings.get(WINDOW)
    if stored is None:
        return None
    try:
        lower, upper = stored
        return HUWindow(float(lower), float(upper))
    except (TypeError, ValueError, VolumeError):
        return None


def set_window(store: Store, chosen: HUWindow | None) -> None:
    """Keep the site's window; None goes back to the bundle's.

    Raises:
        VolumeError: it reaches beyond what CT holds.
    """
    if chosen is not None and not LOWEST_HU <= chosen.lower < chosen.upper <= HIGHEST_HU:
        raise VolumeError(
            "window_range", lower=chosen.lower, upper=chosen.upper, least=LOWEST_HU, most=HIGHEST_HU
        )
    store.settings.set(WINDOW, None if chosen is None else [chosen.lower, chosen.upper])


def cores() -> int:
    """Processors that this process may use."""
    if hasattr(os, "sched_getaffinity"):
        return len(os.sched_getaffinity(0))
    return os.cpu_count() or 1


def threads(store: Store) -> int:
    """Threads of the runtime; by default two, and one core less than there are: the interface draws on it."""
    stored = store.settings.get(THREADS)
    if isinstance(stored, int) and not isinstance(stored, bool) and stored >= 1:
        return min(stored, cores())
    return default_threads(cores())


def default_threads(cores: int) -> int:
    """Threads of the runtime on so many cores, one core left to the interface where there are two."""
    return max(1, min(2, cores - 1))


def set_threads(store: Store, count: int) -> None:
    """Keep the number of threads."""
    store.settings.set(THREADS, count)


def hides_names(store: Store) -> bool:
    """Whether lists show neither names nor IDs of patients."""
    return bool(store.settings.get(HIDES_NAMES, False))


def set_hides_names(store: Store, hides: bool) -> None:
    """Keep it."""
    store.settings.set(HIDES_NAMES, hides)


def lock_minutes(store: Store) -> int:
    """After how many minutes without a touch the app locks, where a PIN is set."""
    stored = store.settings.get(LOCK_MINUTES)
    return stored if type(stored) is int and stored in MINUTES else DEFAULT_MINUTES


def set_lock_minutes(store: Store, minutes: int) -> None:
    """Keep it; one of `MINUTES`."""
    store.settings.set(LOCK_MINUTES, minutes)


def label_key(store: Store) -> bytes:
    """The secret that codes of exported labels are made with; made at its first use, the same ever after."""
    from hemx_core.labels.codes import new_key

    stored = store.settings.get(LABEL_KEY)
    try:
        return bytes.fromhex(stored)
    except (TypeError, ValueError):
        made = new_key()
        store.settings.set(LABEL_KEY, made.hex())
        return made


def import_folder(store: Store) -> Path:
    """Where the last study came from, if it is there; else the downloads, else the home folder."""
    places = (Path(store.settings.get(IMPORT_FOLDER) or ""), Path.home() / "Downloads")
    return next((place for place in places if place.is_absolute() and place.is_dir()), Path.home())


def set_import_folder(store: Store, folder: Path) -> None:
    """Keep it. A folder's name may name a patient, so only the folder above is kept."""
    store.settings.set(IMPORT_FOLDER, str(folder.resolve().parent))
