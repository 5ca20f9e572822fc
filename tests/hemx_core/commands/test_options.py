import pytest

from hemx_core.commands.options import parse_window
from hemx_core.errors import InputError, VolumeError
from hemx_core.imaging.spec import HUWindow


@pytest.mark.parametrize(("text", "window"), [("0,80", (0, 80)), ("-10, 90.5", (-10, 90.5))])
def test_windows(text: str, window: tuple[float, float]) -> None:
    assert parse_window(text) == HUWindow(*window)


@pytest.mark.parametrize("text", ["80", "a,b", "", "1,2,3"])
def test_what_is_no_window_is_refused(text: str) -> None:
    with pytest.raises(InputError, match="lower,upper"):
        parse_window(text)


@pytest.mark.parametrize("text", ["80,0", "5,5"])
def test_an_empty_window_is_refused(text: str) -> None:
    with pytest.raises(VolumeError):
        parse_window(text)
