"""`hemx bundle`: make keys, sign a bundle, and recalibrate it."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from hemx_core.bundle.load import app_models_folder
from hemx_core.bundle.signature import (
    Signature,
    TrustedKey,
    read_signature,
    release_keys,
    trusted_keys,
)
from hemx_core.commands.bundle import Folder, show_bundle
from hemx_core.manifest import ModelManifest

if TYPE_CHECKING:
    from export.sign import SigningKey


PrivateKey = Annotated[
    Path | None,
    typer.Option("--key", help="Private key; by default this computer's development key."),
]
ENCRYPTED = b"ENCRYPTED"


def register(bundle: typer.Typer) -> None:
    """Add the commands to the group `bundle`."""
    for command in (keygen, sign, recalibrate):
        bundle.command(command.__name__)(command)


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
    show_bundle(target, (itself, *trusted_keys()))


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
    show_bundle(target, (TrustedKey(public_key=signing.public_key, name=str(key)), *trusted_keys()))


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
