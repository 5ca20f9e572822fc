"""Make signing keys and sign bundles, with the library `cryptography`.

A key is a PEM file (PKCS 8) outside the repository. Where none is given, the key of this computer signs; it
is made at first use in the user's configuration folder and trusted on this computer only.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING

from hemx_core.bundle.signature import (
    CONTEXT,
    SIGNATURE_NAME,
    Signature,
    TrustedKey,
    key_id,
    keys_to_json,
    own_folder,
    trust_keys,
)
from hemx_core.errors import ExportError, ManifestError, OutputError, SignatureError
from hemx_core.files import write_whole
from hemx_core.manifest import ModelManifest, read_manifest

if TYPE_CHECKING:
    from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

LOCAL_KEY_NAME = "signing_key.pem"
LOCAL_NAME = "key of this computer, for development"
PUBLIC_SUFFIX = ".pub.json"


@dataclass(frozen=True, kw_only=True)
class SigningKey:
    """A private key; its representation does not show it."""

    private: Ed25519PrivateKey = field(repr=False)

    @property
    def public_key(self) -> bytes:
        """The public half's encoding, 32 bytes."""
        return self.private.public_key().public_bytes_raw()

    @property
    def key_id(self) -> str:
        """The public half's short name."""
        return key_id(self.public_key)


def generate_key(path: Path, *, name: str, passphrase: bytes | None = None) -> TrustedKey:
    """Make a key: the private half in `path`, for its owner only, the public half beside it.

    Args:
        path: the private half's PEM file; the public half gets the suffix `.pub.json`.
        name: whose key it is, for people.
        passphrase: encrypts the private half; None leaves it open.
    Returns:
        The public half.
    Raises:
        OutputError: the file exists (a key is never overwritten) or cannot be written.
        ExportError: `cryptography` is not installed.
    """
    _check_cryptography()
    from cryptography.hazmat.primitives import serialization
    from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

    if path.exists():
        raise OutputError(
            f"{path} exists",
            expected="a new file: bundles signed with an overwritten key could not be signed again",
            remedy="give another name, or move the old key away",
        )
    private = Ed25519PrivateKey.generate()
    lock = (
        serialization.BestAvailableEncryption(passphrase)
        if passphrase
        else serialization.NoEncryption()
    )
    pem = private.private_bytes(serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, lock)
    public = TrustedKey(public_key=private.public_key().public_bytes_raw(), name=name)
    write_whole(path, pem, durable=True, mode=0o600)
    write_whole(path.with_suffix(PUBLIC_SUFFIX), keys_to_json([public]), mode=0o644)
    return public


def load_key(path: Path, *, passphrase: bytes | None = None) -> SigningKey:
    """Read a private key.

    Raises:
        SignatureError: no Ed25519 key in PEM, or the passphrase is wrong or missing.
        ExportError: `cryptography` is not installed.
    """
    _check_cryptography()
    from cryptography.exceptions import UnsupportedAlgorithm
    from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
    from cryptography.hazmat.primitives.serialization import load_pem_private_key

    try:
        private = load_pem_private_key(path.read_bytes(), passphrase)
    except (OSError, ValueError, TypeError, UnsupportedAlgorithm) as error:
        raise SignatureError(
            f"a signing key {path} that cannot be read ({error})",
            expected="an Ed25519 private key in PEM, and its passphrase if it has one",
            remedy="make one with `hemx bundle keygen`",
        ) from error
    if not isinstance(private, Ed25519PrivateKey):
        raise SignatureError(
            f"a signing key {path} of another kind",
            expected="an Ed25519 private key",
            remedy="make one with `hemx bundle keygen`",
        )
    return SigningKey(private=private)


def local_key() -> SigningKey:
    """The key of this computer, made and trusted at first use.

    Raises:
        OutputError: there is no configuration folder, or it cannot be written to.
        SignatureError: the key is there and cannot be read.
    """
    path = own_folder() / LOCAL_KEY_NAME
    if not path.exists():
        generate_key(path, name=LOCAL_NAME)
    key = load_key(path)
    trust_keys([TrustedKey(public_key=key.public_key, name=LOCAL_NAME)])
    return key


def sign_bundle(folder: Path, key: SigningKey | None = None) -> Signature:
    """Sign a bundle after its manifest and its files have been checked.

    Args:
        folder: the bundle.
        key: by default the key of this computer.
    Raises:
        ManifestError: the manifest is missing, wrong, or not in the form that this version writes.
        IntegrityError: a file differs from the manifest.
        OutputError: the signature cannot be written.
    """
    content = read_manifest(folder)
    manifest = ModelManifest.from_bytes(content)
    manifest.verify_files(folder)
    if manifest.to_json().encode() != content:
        raise ManifestError(
            "a manifest that this version would write otherwise",
            expected="the canonical form: what is signed must say one thing only",
            remedy="export the bundle again with this version",
        )
    key = key or local_key()
    signature = Signature(key_id=key.key_id, value=key.private.sign(CONTEXT + content))
    write_whole(folder / SIGNATURE_NAME, signature.to_bytes(), mode=0o644)
    return signature


def _check_cryptography() -> None:
    try:
        import cryptography  # noqa: F401
    except ImportError as error:
        raise ExportError(
            f"signing needs the package cryptography ({error})",
            expected="the export extra",
            remedy='pip install "hemx[export]"',
        ) from error
