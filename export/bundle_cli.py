"""`hemx bundle`: make keys, sign a bundle, verify one, trust a key."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from hemx_core.bundle.load import app_models_folder, verify_bundle
from hemx_core.bundle.signature import (
    Signature,
    TrustedKey,
    read_keys,
    read_signature,
    release_keys,
    trusted_keys,
)
from hemx_core.errors import ManifestError
from hemx_core.manifest import ModelManifest

if TYPE_CHECKING:
    from export.sign import SigningKey


bundle_app = typer.Typer(name="bundle", help="Sign and verify model bundles.", no_args_is_help=True)
Folder = Annotated[Path | None, typer.Argument(help="Bundle; the app's by default.")]
PrivateKey = Annotated[
    Path | None,
    typer.Option("--key", help="Private key; by default this computer's development key."),
]
ENCRYPTED = b"ENCRYPTED"


@bundle_app.command("keygen")
def keygen(
    key: Annotated[Path, typer.Argument(help="Private key to write, outside any repository.")],
    name: Annotated[str, typer.Option(help="Whose key it is, shown to those who verify.")],
    passphrase: Annotated[
        bool, typer.Option(help="Ask for a passphrase that encrypts the key.")
    ] = True,
) -> None:
    """Make a signing key: KEY for its owner only, and its public half beside it."""
    from export.sign import PUBLIC_SUFFIX, generate_key

    secret = (
        typer.prompt("Passphrase", hide_input=True, confirmation_prompt=True)
        if passphrase
        else None
    )
    public = generate_key(key, name=name, passphrase=secret.encode() if secret else None)
    typer.echo(f"key       {public.key_id} ({public.name})")
    typer.echo(f"private   {key}: keep it, show it to nobody")
    typer.echo(f"public    {key.with_suffix(PUBLIC_SUFFIX)}: for those who verify")


@bundle_app.command("sign")
def sign(
    folder: Folder = None,
    key: PrivateKey = None,
) -> None:
    """Check a bundle's files and sign its manifest."""
    from export.sign import local_key, sign_bundle

    target, signing = folder or app_models_folder(), read_key(key) if key else local_key()
    sign_bundle(target, signing)
    # What was just signed is shown whether or not this computer trusts the key; a known one by its name.
    itself = TrustedKey(public_key=signing.public_key, name=str(key))
    _show(target, (itself, *trusted_keys()))


@bundle_app.command("recalibrate")
def recalibrate(
    folder: Folder = None,
    weights: Annotated[
        Path | None, typer.Option(help="Folder of the weight files with decision.json.")
    ] = None,
    data: Annotated[
        Path | None, typer.Option(help="Folder with phe_sich, to verify on; or HEMX_DATA.")
    ] = None,
    key: PrivateKey = None,
) -> None:
    """Update temperatures, thresholds and accuracy from the files beside the weights, verify, and sign."""
    from export.bundle import recalibrate_bundle
    from export.networks import default_weights
    from export.recipes import find_recipe
    from export.samples import load_samples
    from export.sign import local_key

    target, signing = folder or app_models_folder(), read_key(key) if key else local_key()
    manifest = ModelManifest.load(target)
    recipe = find_recipe(manifest.recipe)
    _, parity = load_samples(
        manifest.preprocessing, data=data, calibration=recipe.calibration_slices
    )
    recalibrate_bundle(target, weights or default_weights(), signing, recipe=recipe, parity=parity)
    _show(target, (TrustedKey(public_key=signing.public_key, name=str(key)), *trusted_keys()))


@bundle_app.command("verify")
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
    keys = release_keys() if release else None
    _show(folder or app_models_folder(), _public_keys(key) if key else keys)


@bundle_app.command("trust")
def trust(
    key: Annotated[Path, typer.Argument(help="File with public keys, as `keygen` writes it.")],
) -> None:
    """Trust somebody's public keys on this computer; compare the key id with its owner first."""
    from export.sign import trust_keys

    keys = _public_keys(key)
    where = trust_keys(list(keys))
    for one in keys:
        typer.echo(f"trusted   {one.key_id} ({one.name}) in {where}")


@bundle_app.command("self-test")
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
        for one in method.measures:
            found = f"{one.difference:.5f} (at most {one.tolerance:g})"
            typer.echo(f"{'  ok' if one.passed else '  FAILED':10}{one.name:12}{found}")
    report.require()
    typer.echo(f"passed    on {report.slices} reference slices")


def read_key(path: Path) -> SigningKey:
    """A private key; its passphrase is asked for if it has one.

    Raises:
        SignatureError: it cannot be read.
    """
    from export.sign import load_key

    locked = path.is_file() and ENCRYPTED in path.read_bytes()
    secret = typer.prompt("Passphrase", hide_input=True).encode() if locked else None
    return load_key(path, passphrase=secret)


def signer(folder: Path) -> str:
    """Which key signed a bundle, and how far that reaches.

    Raises:
        SignatureError: there is no readable signature.
    """
    known = {key.key_id: key.name for key in release_keys()}
    key_id = Signature.from_bytes(read_signature(folder) or b"").key_id
    if key_id in known:
        return f"{key_id} ({known[key_id]}), release key"
    return f"{key_id}, no release key: other computers and tablets refuse the bundle"


def _show(folder: Path, keys: tuple[TrustedKey, ...] | None) -> None:
    bundle = verify_bundle(folder, keys=keys)
    signer = bundle.signed_by
    typer.echo(f"bundle    {folder}, recipe {bundle.manifest.recipe}, HEMX {bundle.manifest.hemx}")
    if signer is not None:
        kind = "release key" if signer.release else "key trusted here, not a release key"
        typer.echo(f"signed by {signer.key_id} ({signer.name}), {kind}")
    for one in bundle.manifest.files:
        typer.echo(f"verified  {one.file}, {one.bytes} bytes, SHA-256 {one.sha256}")


def _public_keys(path: Path) -> tuple[TrustedKey, ...]:
    keys = read_keys(path)
    if not keys:
        raise ManifestError(
            f"no public key in {path}",
            expected="a file that `hemx bundle keygen` wrote (.pub.json)",
            remedy="ask for the public half of the key",
        )
    return keys
