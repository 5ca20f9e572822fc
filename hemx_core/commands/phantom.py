"""`hemx phantom`: write a synthetic head CT study with its truth."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

import hemx_core as hemx
from hemx_core.markers import MARKER_CODES

if TYPE_CHECKING:
    from hemx_core.phantoms.make import Phantom

Out = Annotated[Path, typer.Option(help="Folder for the DICOM studies and the truth.")]
Seed = Annotated[int, typer.Option(min=0, help="Another seed is another patient.")]
Location = Annotated[str | None, typer.Option(help="putamen, thalamus or subcortical.")]
Side = Annotated[str | None, typer.Option(help="left or right (the patient's).")]
Volume = Annotated[float | None, typer.Option(min=0.3, help="Haematoma volume, mL.")]
Markers = Annotated[
    str | None,
    typer.Option(
        help=f"Exactly these, commas between: {', '.join(MARKER_CODES)}; or none. Default: random."
    ),
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
    from hemx_core.phantoms.make import write_phantom

    made = hemx.phantom(
        seed=seed,
        location=location,
        side=side,
        volume_ml=volume_ml,
        markers=parse_markers(markers),
        growth=growth,
        lesion=not no_lesion,
        site=site,
        matrix=matrix,
        slices=slices,
        on_threshold=on_threshold,
    )
    _tell(made.studies, write_phantom(made.studies, out))


def _tell(studies: Sequence[Phantom], written: list[Path]) -> None:
    """Print what each study holds and where everything was written."""
    for study, path in zip(studies, written, strict=False):
        typer.echo(_line(study))
        typer.echo(f"Written: {path} ({len(study.mask)} DICOM files)")
    for path in written[len(studies) :]:
        typer.echo(f"Written: {path}")


def parse_markers(text: str | None) -> tuple[str, ...] | None:
    """Codes given with commas between; nothing for "none", None where none is given."""
    if text is None:
        return None
    return () if text.strip() == "none" else tuple(part.strip() for part in text.split(","))


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
