"""Pictures of the app's screens, of the demo's synthetic patient, in both languages and turns.

    python -m benchmarks screenshots --out docs/screenshots

The real app with the shipped bundle: it makes the demo's two studies, triages both and compares them; a
finger goes from screen to screen. Files are named {screen}-{language}-{turn}.png, with 256 colours.
"""

from __future__ import annotations

import io
import tempfile
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from benchmarks.app.driver import CALM_FRAMES, Script, drive, opened, prepare_window, tap
from hemx_core.errors import OutputError
from hemx_core.files import write_whole

if TYPE_CHECKING:
    from PIL import Image

    from mobile_app.app import HemxApp
    from mobile_app.store import Store
    from mobile_app.work.device_models import DeviceModels
    from mobile_app.work.memory_guard import MemoryBudget

LANGUAGES = ("en", "ja")
TURNS: dict[str, tuple[int, int]] = {"landscape": (1280, 800), "portrait": (800, 1280)}
SHOTS: dict[str, tuple[str, ...]] = {
    "landscape": (
        "studies",
        "reading",
        "reading-correct",
        "result",
        "compare",
        "report",
        "device",
        "settings",
    ),
    "portrait": ("reading", "result", "compare", "report"),
}
"""What is pictured; portrait where the layout is another one."""

COLOURS = 256
MOST_BYTES = 250_000
ROOM_BYTES = 2**32
STROKE_MM = 9.0


def shoot(
    out: Path, *, device_models: Callable[[Store], DeviceModels] | None = None
) -> tuple[Path, ...]:
    """Make all pictures; files of the same name are replaced.

    Args:
        out: made if missing.
        device_models: see `HemxApp`; by default the shipped bundle, with memory for all screens at once.
    Raises:
        HemxError: the app told the user of an error.
        OutputError: a picture has more than 250 kB.
    """
    out.mkdir(parents=True, exist_ok=True)
    written: list[Path] = []
    with tempfile.TemporaryDirectory(prefix="hemx-screenshots-") as folder:
        drive(
            str(Path(folder) / "store"),
            lambda app: _tour(app, out, written),
            device_models=device_models or _roomy_models,
        )
    return tuple(written)


def _roomy_models(store: Store) -> DeviceModels:
    from mobile_app.work.device_models import DeviceModels

    class RoomyModels(DeviceModels):
        """Drawn without a graphics card, every screen's buffers count as the app's."""

        def budget(self, base: MemoryBudget) -> MemoryBudget:
            return replace(super().budget(base), app_bytes=ROOM_BYTES)

    return RoomyModels(store)


def _tour(app: HemxApp, out: Path, written: list[Path]) -> Script:
    from kivy.core.window import Window

    from mobile_app.studies.demo import import_demo

    _paint_ground(app)
    context = app.context
    earlier: list[int] = []

    def imported(outcome: Any) -> None:
        studies = context.store.studies.find()
        earlier.extend(study.id for study in studies if study.id != outcome.value.id)
        context.studies_changed()

    context.run(import_demo(context.store), on_done=imported)
    yield lambda: earlier
    later = next(study.id for study in context.store.studies.find() if study.id not in earlier)
    for number in (*earlier, later):
        before = context.study_id
        context.open_study(number)
        yield opened(app, before)
        yield from _still(app)
    yield from _go(app, "compare")
    tap(app.screens["compare"].go)
    yield lambda: app.screens["compare"].compared is not None
    for language in LANGUAGES:
        for turn, size in TURNS.items():
            context.language = language
            Window.size = size
            for name in SHOTS[turn]:
                yield from _go(app, name.partition("-")[0])
                yield from _prepare(app, name)
                written.append(save_reduced(_picture(app), out / f"{name}-{language}-{turn}.png"))
                yield from _undo(app, name)


def _go(app: HemxApp, name: str) -> Script:
    tap(app.navigation.buttons[name])
    yield from _still(app)


def _still(app: HemxApp) -> Script:
    """Wait until no job has run for some frames: one job's end may begin another."""
    quiet = [0]

    def holds() -> bool:
        busy = app.context.jobs.busy or app.context.quick.busy
        quiet[0] = 0 if busy else quiet[0] + 1
        return quiet[0] >= CALM_FRAMES

    yield holds


def _prepare(app: HemxApp, name: str) -> Script:
    """What is to be seen on the Reading screen."""
    if name == "reading":
        yield from _touch_tools(app, "overlay")
        if not app.screens["reading"].viewer.show_heat:
            yield from _touch_tools(app, "heat")
    elif name == "reading-correct":
        if app.screens["reading"].viewer.show_heat:
            yield from _touch_tools(app, "overlay", "heat")
        yield from _touch_tools(app, "correct", "brush")
        yield from _draw(app)


def _touch_tools(app: HemxApp, *names: str) -> Script:
    for name in names:
        tap(app.screens["reading"].buttons[name])
        yield from _still(app)


def _draw(app: HemxApp) -> Script:
    """A stroke of the brush from the clot's edge outwards."""
    import cv2
    import numpy as np

    from benchmarks.app.driver import finger

    reading = app.screens["reading"]
    viewer = reading.viewer
    mask = viewer.masks[int(viewer.index)].astype(np.uint8)
    _count, parts, facts, _middles = cv2.connectedComponentsWithStats(mask)
    clot = 1 + int(facts[1:, cv2.CC_STAT_AREA].argmax())
    rows, columns = np.nonzero(parts == clot)
    reach = STROKE_MM / viewer.volume.geometry.pixel_spacing_mm[1]
    column = float(columns.max())
    row = float(rows[columns == columns.max()].mean())
    places = [
        viewer.to_window(*viewer.to_screen(row, column + share * reach)) for share in (0, 0.5, 1)
    ]
    one = finger(*places[0])
    one.press()
    for place in places[1:]:
        one.slide(*place)
    one.lift()
    yield from _still(app)


def _undo(app: HemxApp, name: str) -> Script:
    """Leave the Reading screen as it was found."""
    if name == "reading-correct":
        yield from _touch_tools(app, "undo")
    if name.startswith("reading"):
        yield from _touch_tools(app, "view")


def _paint_ground(app: HemxApp) -> None:
    """The window's own colour, which a picture of widgets lacks."""
    from kivy.graphics import Color, Rectangle

    from mobile_app import theme

    with app.root.canvas.before:
        Color(*theme.BACKGROUND)
        ground = Rectangle(size=app.root.size)
    app.root.bind(size=lambda _root, size: setattr(ground, "size", size))


def _picture(app: HemxApp) -> Image.Image:
    """The app as it is drawn; not read from the window, which may still have its former size."""
    from PIL import Image as Pictures

    texture = app.root.export_as_image().texture
    picture = Pictures.frombytes("RGBA", texture.size, texture.pixels)
    # The ground is opaque: where text is smooth, alpha says nothing.
    return picture.convert("RGB")


def save_reduced(picture: Image.Image, path: Path) -> Path:
    """Write a picture with 256 colours; nothing is left of one that is too large.

    Raises:
        OutputError: it would have more than 250 kB.
    """
    buffer = io.BytesIO()
    picture.quantize(COLOURS).save(buffer, format="png", optimize=True)
    size = len(buffer.getvalue())
    if size > MOST_BYTES:
        raise OutputError(
            f"{path.name} has {size // 1000} kB",
            expected=f"at most {MOST_BYTES // 1000} kB",
            remedy="use fewer colours",
        )
    return write_whole(path, buffer.getvalue())


def main(
    out: Annotated[Path, typer.Option(help="Folder to write to.")] = Path("docs/screenshots"),
) -> None:
    """Write pictures of the app's screens."""
    prepare_window()
    for path in shoot(out):
        typer.echo(f"{path}  {path.stat().st_size // 1000} kB")
