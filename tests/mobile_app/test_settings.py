from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from hemx_core.errors import VolumeError
from hemx_core.imaging.spec import HUWindow
from mobile_app import settings
from mobile_app.store import Store


@pytest.fixture
def store(tmp_path: Path) -> Iterator[Store]:
    with Store(tmp_path / "store") as opened:
        yield opened


@pytest.mark.parametrize(
    ("system", "language"), [("ja_JP.UTF-8", "ja"), ("de_DE.UTF-8", "en"), ("", "en")]
)
def test_the_first_language_is_the_systems(
    store: Store, monkeypatch: pytest.MonkeyPatch, system: str, language: str
) -> None:
    monkeypatch.delenv("LC_ALL", raising=False)
    monkeypatch.delenv("LC_MESSAGES", raising=False)
    monkeypatch.setenv("LANG", system)
    assert settings.language(store) == language
    settings.set_language(store, "ja")
    assert settings.language(store) == "ja"


def test_a_window_is_kept_and_taken_back(store: Store) -> None:
    assert settings.window(store) is None
    settings.set_window(store, HUWindow(-10, 90))
    assert settings.window(store) == HUWindow(-10, 90)
    settings.set_window(store, None)
    assert settings.window(store) is None


def test_a_window_beyond_ct_is_refused(store: Store) -> None:
    with pytest.raises(VolumeError):
        settings.set_window(store, HUWindow(-5000, 80))
    assert settings.window(store) is None


@pytest.mark.parametrize("stored", ["x", [80, 0], [1], {"a": 1}, [None, 3]])
def test_a_stored_window_that_is_none_is_the_bundles(store: Store, stored: object) -> None:
    store.settings.set(settings.WINDOW, stored)
    assert settings.window(store) is None


@pytest.mark.parametrize(("stored", "used"), [(1, 1), (3, 3), (99, 4), (0, 2), ("x", 2), (True, 2)])
def test_threads_stay_within_the_cores(
    store: Store, monkeypatch: pytest.MonkeyPatch, stored: object, used: int
) -> None:
    monkeypatch.setattr(settings, "cores", lambda: 4)
    store.settings.set(settings.THREADS, stored)
    assert settings.threads(store) == used


@pytest.mark.parametrize(("cores", "used"), [(1, 1), (2, 1), (3, 2), (8, 2)])
def test_by_default_a_core_is_left_to_the_interface(
    store: Store, monkeypatch: pytest.MonkeyPatch, cores: int, used: int
) -> None:
    monkeypatch.setattr(settings, "cores", lambda: cores)
    assert settings.threads(store) == settings.default_threads(cores) == used


def test_the_import_folder_names_no_study(store: Store, tmp_path: Path) -> None:
    (tmp_path / "cd" / "YAMADA_TARO").mkdir(parents=True)
    settings.set_import_folder(store, tmp_path / "cd" / "YAMADA_TARO")
    assert settings.import_folder(store) == (tmp_path / "cd").resolve()
    assert "YAMADA" not in str(store.settings.get(settings.IMPORT_FOLDER))


def test_a_folder_that_is_gone_gives_the_home(
    store: Store, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(Path, "home", lambda: tmp_path)
    store.settings.set(settings.IMPORT_FOLDER, str(tmp_path / "gone"))
    assert settings.import_folder(store) == tmp_path
    (tmp_path / "Downloads").mkdir()
    assert settings.import_folder(store) == tmp_path / "Downloads"


@pytest.mark.parametrize("stored", [0, -1, 7, 10_000, True, 2.0, "2", None, [2]])
def test_a_time_that_would_never_lock_is_the_default(store: Store, stored: object) -> None:
    store.settings.set(settings.LOCK_MINUTES, stored)
    assert settings.lock_minutes(store) == 5
    settings.set_lock_minutes(store, 30)
    assert settings.lock_minutes(store) == 30
