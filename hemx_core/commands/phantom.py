"""`hemx phantom`: write a synthetic head CT study with its truth."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from hemx_core.errors import InputError
from hemx_core.markers import MARKER_CODES

if TYPE_CHECKING:
    from hemx_core.phantoms import Phantom, PhantomSpec, SiteSpec

TRIALS = 12

Out = Annotated[Path, typer.Option(help="Folder for the DICOM studies and the truth.")]
Seed = Annotated[int, typer.Option(min=0, help="Another seed is another patient.")]
Location = Annotated[str | None, typer.Option(help="putamen, thalamus or subcortical.")]
Side = Annotated[str | None, typer.Option(help="left or right (the patient's).")]
Volume = Annotated[float | None, typer.Option(min=0.3, help="Haematoma volume, mL.")]
Markers = Annotated[
    str | None,
    typer.Option(help=f"Exactly these markers: {','.join(MARKER_CODES)}, or none. Default: drawn."),
]
Growth = Annotated[float | None, typer.Option(help="Add a follow-up: volume times this.")]
Site = Annotated[int | None, typer.Option(min=1, max=99, help="One scanner per number.")]
Matrix = Annotated[int, typer.Option(min=64, max=1024, help="Rows and columns.")]
Slices = Annotated[int | None, typer.Option(min=1, help="Slices; default: the whole head.")]
NoLesion = Annotated[bool, typer.Option("--no-lesion", help="A head without haematoma.")]
OnThreshold = Annotated[
    bool, typer.Option("--on-threshold", help="Blend and black hole contrasts on their limits.")
]


def register(app: typer.Typer) -> None:
    """Add `phantom` to the command line."""
    app.command("phantom")(phantom)


def phantom(
    out: Out,
    seed: Seed = 0,
    location: Location = None,
    side: Side = None,
    volume_ml: Volume = None,
    markers: Markers = None,
    growth: Growth = None,
    site: Site = None,
    matrix: Matrix = 512,
    slices: Slices = None,
    no_lesion: NoLesion = False,
    on_threshold: OnThreshold = False,
) -> None:
    """Write a synthetic head CT as DICOM, with truth.json and the true masks."""
    import numpy as np

    from hemx_core.phantoms import grow, make_phantom, random_spec, write_phantom

    asked = (location, side, volume_ml, markers, growth)
    if no_lesion and any(value is not None for value in asked):
        raise InputError(
            "--no-lesion beside an option that describes a haematoma",
            expected="one or the other",
            remedy="leave out --no-lesion",
        )
    wanted = parse_markers(markers)
    scanner = _scanner(seed % 12 + 1 if site is None else site, matrix, slices)

    def draw(trial: int) -> PhantomSpec:
        return random_spec(
            np.random.default_rng([seed, trial]),
            site=scanner,
            lesion_probability=0.0 if no_lesion else 1.0,
            markers=wanted,
            location=location,
            side=side,
            volume_ml=volume_ml,
            on_threshold=on_threshold,
        )

    exact = None if on_threshold or no_lesion else wanted
    first = _first_showing(draw, exact)
    studies = [first]
    if growth is not None:
        studies.append(make_phantom(grow(first.spec, growth)))
    _tell(studies, write_phantom(studies, out))


def _scanner(number: int, matrix: int, slices: int | None) -> SiteSpec:
    """The scanner of a site number, always the same one."""
    import numpy as np

    from hemx_core.phantoms import random_site

    drawn = random_site(np.random.default_rng([number, 12]), matrix=matrix, slices=slices)
    return replace(drawn, name=f"site-{number:02d}")


def _tell(studies: list[Phantom], written: list[Path]) -> None:
    """Print what each study holds and where everything was written."""
    for study, path in zip(studies, written, strict=False):
        typer.echo(_line(study))
        typer.echo(f"Written: {path} ({len(study.mask)} DICOM files)")
    for path in written[len(studies) :]:
        typer.echo(f"Written: {path}")


def parse_markers(text: str | None) -> dict[str, bool] | None:
    """Markers given as codes with commas between, every other one absent; None where none is given.

    Raises:
        InputError: an unknown code.
    """
    if text is None:
        return None
    codes = [] if text.strip() == "none" else [part.strip() for part in text.split(",")]
    unknown = sorted(set(codes) - set(MARKER_CODES))
    if unknown:
        raise InputError(
            f"marker {unknown[0]!r}",
            expected=f"some of {', '.join(MARKER_CODES)}, with commas between, or none",
            remedy="give for example --markers hypodensity,blend",
        )
    return {code: code in codes for code in MARKER_CODES}


def _first_showing(draw: Callable[[int], PhantomSpec], wanted: dict[str, bool] | None) -> Phantom:
    """The first drawn phantom that shows exactly the markers wanted.

    A hypodensity drawn between two slices may show on neither, so drawing is not enough.

    Raises:
        InputError: none of some draws shows them.
    """
    from hemx_core.phantoms import make_phantom

    for trial in range(TRIALS):
        phantom = make_phantom(draw(trial))
        if wanted is None or phantom.patient_markers.tolist() == list(wanted.values()):
            return phantom
    shown = ", ".join(code for code, on in (wanted or {}).items() if on) or "no marker"
    raise InputError(
        f"{shown} on none of {TRIALS} clots drawn",
        expected="a clot large enough to show its markers on a slice",
        remedy="ask for a larger --volume-ml, fewer markers, or another --seed",
    )


def _line(phantom: Phantom) -> str:
    """One line on what a study holds."""
    spec, volume = phantom.spec, phantom.volume
    size = "{} x {} x {}".format(*volume.shape)
    scan = (
        f"{spec.patient_id}, {spec.site.name}, {size}, tilt {volume.geometry.tilt_deg:.1f} degrees"
    )
    if spec.lesion is None:
        return f"{scan}: no haematoma"
    named = zip(MARKER_CODES, phantom.patient_markers, strict=True)
    shown = ", ".join(code for code, present in named if present) or "none"
    return (
        f"{scan}: {spec.lesion.side} {spec.lesion.location}, "
        f"{phantom.haematoma_volume_ml:.1f} mL, markers: {shown}"
    )
