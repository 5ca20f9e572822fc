"""`hemx bundle verify`, `trust` and `self-test`; what makes and signs bundles comes from `export`."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from hemx_core.errors import ManifestError

if TYPE_CHECKING:
    from hemx_core.bundle.signature import TrustedKey

Folder = Annotated[Path | None, typer.Argument(help="Bundle; the shipped one by default.")]


def register(bundle: typer.Typer) -> None:
    """Add the commands to the group `bundle`."""
    bundle.command("verify")(verify)
    bundle.command("trust")(trust)
    bundle.command("self-test")(self_test)


def verify(
    folder: Folder = None,
    key: Annotated[
        Path | None, typer.Option("--key", help="Trust the public keys in this file only.")
    ] = None,
    release: Annotated[
        bool, typer.Option("--release", help="Trust release keys only, as a tablet does.")
    ] = False,
) -> None:
    """Verify a bundle's signature and files without opening a program; exit code 2 if refused."""
    from hemx_core.bundle.load import app_models_folder
    from hemx_core.bundle.signature import release_keys

    keys = release_keys() if release else None
    show_bundle(folder or app_models_folder(), public_keys(key) if key else keys)


def trust(
    key: Annotated[Path, typer.Argument(help="File with public keys, as `keygen` writes it.")],
) -> None:
    """Trust somebody's public keys on this computer; compare the key id with its owner first."""
    from hemx_core.bundle.signature import trust_keys

    keys = public_keys(key)
    where = trust_keys(keys)
    for trusted in keys:
        typer.echo(f"trusted   {trusted.key_id} ({trusted.name}) in {where}")


def self_test(
    folder: Folder = None,
    allow_unsigned: Annotated[
        bool, typer.Option("--allow-unsigned", help="Take an unsigned bundle; development only.")
    ] = False,
) -> None:
    """Run a bundle on this computer against its reference outputs; exit code 2 where it differs."""
    from hemx_core.bundle.load import load_models
    from hemx_core.bundle.self_test import run_self_test

    with load_models(folder, allow_unsigned=allow_unsigned) as models:
        report = run_self_test(models)
        typer.echo(f"runtime   {models.backend_name} {models.backend_version}")
    for method in report.methods:
        typer.echo(f"{method.method:10}{method.milliseconds:.1f} ms a slice")
        for measure in method.measures:
            found = f"{measure.difference:.5f} (at most {measure.tolerance:g})"
            typer.echo(f"{'  ok' if measure.passed else '  FAILED':10}{measure.name:12}{found}")
    report.require()
    typer.echo(f"passed    on {report.slices} reference slices")


def show_bundle(folder: Path, keys: tuple[TrustedKey, ...] | None) -> None:
    """Verify a bundle and print what it is, who signed it, and its files.

    Raises:
        ManifestError, IntegrityError: see `verify_bundle`.
    """
    from hemx_core.bundle.load import verify_bundle

    bundle = verify_bundle(folder, keys=keys)
    signer = bundle.signed_by
    typer.echo(f"bundle    {folder}, recipe {bundle.manifest.recipe}, HEMX {bundle.manifest.hemx}")
    if signer is not None:
        kind = "release key" if signer.release else "key trusted here, not a release key"
        typer.echo(f"signed by {signer.key_id} ({signer.name}), {kind}")
    for file in bundle.manifest.files:
        typer.echo(f"verified  {file.file}, {file.bytes} bytes, SHA-256 {file.sha256}")


def public_keys(path: Path) -> tuple[TrustedKey, ...]:
    """The public keys in a file.

    Raises:
        ManifestError: there is none.
    """
    from hemx_core.bundle.signature import read_keys

    keys = read_keys(path)
    if not keys:
        raise ManifestError(
            f"no public key in {path}",
            expected="a file that `hemx bundle keygen` wrote (.pub.json)",
            remedy="ask for the public half of the key",
        )
    return keys
