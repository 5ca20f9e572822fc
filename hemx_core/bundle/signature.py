"""Check who signed a bundle's manifest, and whether that key is trusted here.

`manifest.sig` lies beside `manifest.json`. It holds an Ed25519 signature over the manifest's bytes, and the
manifest holds size and SHA-256 of every program, so the signature covers the whole bundle. Keys that are
trusted come from two places and never from the bundle itself:

- `trusted_keys.json` beside this module, part of the program: release keys. A tablet knows no others.
- `trusted_keys.json` in the user's configuration folder: keys of this computer and those added to it.
"""

from __future__ import annotations

import hashlib
import json
import os
import sys
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

from hemx_core.bundle import ed25519
from hemx_core.device.machine import on_android
from hemx_core.errors import ManifestError, OutputError, SignatureError, UnknownKeyError, cause
from hemx_core.files import open_regular, read_whole, write_whole
from hemx_core.manifest import MANIFEST_NAME, MAX_MANIFEST_BYTES
from hemx_core.notes import Phrase
from hemx_core.records import from_values, parse_json, to_values

SIGNATURE_NAME = "manifest.sig"
TRUSTED_NAME = "trusted_keys.json"
CONFIG_VARIABLE = "HEMX_CONFIG"
FORMAT = 1
CONTEXT = b"HEMX model bundle manifest, format 1\n"
"""Signed in front of the manifest, so that a signature made for anything else fits no bundle."""
MAXIMUM_BYTES = 4096


@dataclass(frozen=True, slots=True, kw_only=True)
class TrustedKey:
    """A public key and whose it is.

    Args:
        public_key: its encoding, 32 bytes.
        name: whose it is, for people.
        release: whether the program brought it; else it was added on this computer.
    """

    public_key: bytes
    name: str
    release: bool = False

    @property
    def key_id(self) -> str:
        """The first 16 hexadecimal digits of the SHA-256 of the public key."""
        return key_id(self.public_key)


@dataclass(frozen=True, slots=True, kw_only=True)
class Signature:
    """What `manifest.sig` says.

    Args:
        key_id: which key signed.
        value: R and S of RFC 8032, 64 bytes.
    """

    key_id: str
    value: bytes

    def to_bytes(self) -> bytes:
        """The file's only form."""
        values = {
            "format": FORMAT,
            "algorithm": "Ed25519",
            "key_id": self.key_id,
            "signature": self.value.hex(),
        }
        return (json.dumps(values, indent=2) + "\n").encode()

    @classmethod
    def from_bytes(cls, content: bytes) -> Signature:
        """Read a signature file; only what `to_bytes` writes is accepted, to the byte.

        Raises:
            SignatureError: anything else.
        """
        try:
            values = json.loads(content)
            signature = cls(key_id=values["key_id"], value=bytes.fromhex(values["signature"]))
            # A list or a number could come back the same, but is no key id.
            whole = isinstance(signature.key_id, str) and signature.to_bytes() == content
        except (ValueError, KeyError, TypeError, RecursionError):
            whole = False
        if not whole:
            raise SignatureError("signature_malformed", file=SIGNATURE_NAME, format=FORMAT)
        return signature


def key_id(public_key: bytes) -> str:
    """A public key's short name."""
    return hashlib.sha256(public_key).hexdigest()[:16]


def read_signature(folder: Path) -> bytes | None:
    """The bytes of a bundle's signature file, None where there is none.

    Raises:
        SignatureError: it is there and cannot be read.
    """
    try:
        with open_regular(folder / SIGNATURE_NAME) as stream:
            return stream.read(MAXIMUM_BYTES)
    except FileNotFoundError:
        return None
    except OSError as error:
        raise SignatureError(
            "signature_unreadable", file=SIGNATURE_NAME, reason=cause(error)
        ) from error


def check_signature(manifest: bytes, content: bytes, keys: Iterable[TrustedKey]) -> TrustedKey:
    """Find the trusted key that signed a manifest.

    Args:
        manifest: the manifest file's bytes, as they are on disk.
        content: the signature file's bytes.
        keys: which keys are trusted.
    Raises:
        SignatureError: the signature file is malformed, or the signature is wrong.
        UnknownKeyError: none of the keys has the signature's key id.
    """
    signature = Signature.from_bytes(content)
    trusted = {key.key_id: key for key in keys}
    key = trusted.get(signature.key_id)
    if key is None:
        raise UnknownKeyError(
            "unknown_key",
            key=signature.key_id[:64],
            trusted=tuple(trusted),
            none=None if trusted else Phrase("no_key"),
        )
    if not ed25519.verify(key.public_key, CONTEXT + manifest, signature.value):
        raise SignatureError(
            "signature_wrong",
            manifest=MANIFEST_NAME,
            key=key.key_id,
            name=key.name,
            file=SIGNATURE_NAME,
        )
    return key


def trusted_keys() -> tuple[TrustedKey, ...]:
    """The keys trusted here: the program's and, but for a tablet, those of this computer.

    Raises:
        ManifestError: a list of keys that is malformed.
    """
    return (*release_keys(), *local_keys())


def release_keys() -> tuple[TrustedKey, ...]:
    """The keys that the program brings."""
    return read_keys(Path(__file__).with_name(TRUSTED_NAME), release=True)


def local_keys() -> tuple[TrustedKey, ...]:
    """The keys added on this computer; none on Android."""
    folder = None if on_android() else config_folder()
    return read_keys(folder / TRUSTED_NAME) if folder else ()


def config_folder() -> Path | None:
    """Where HEMX keeps keys of this computer: HEMX_CONFIG, else in the user's configuration folder.

    None where the user has no home.
    """
    if override := os.environ.get(CONFIG_VARIABLE):
        return Path(override)
    variable = "APPDATA" if sys.platform == "win32" else "XDG_CONFIG_HOME"
    try:
        base = os.environ.get(variable) or Path.home() / ".config"
    except RuntimeError:
        return None
    return Path(base) / "hemx"


def own_folder() -> Path:
    """`config_folder`, for what must be kept there.

    Raises:
        OutputError: the user has no home.
    """
    folder = config_folder()
    if folder is None:
        raise OutputError("no_key_folder", variable=CONFIG_VARIABLE)
    return folder


def trust_keys(keys: Iterable[TrustedKey]) -> Path:
    """Add public keys to those trusted on this computer; a key that is there already stays.

    Returns:
        The list's file.
    Raises:
        OutputError: it cannot be written.
        ManifestError: it is there and malformed.
    """
    path = own_folder() / TRUSTED_NAME
    known = read_keys(path)
    names = {key.key_id for key in known}
    new = [key for key in keys if key.key_id not in names]
    if new:
        write_whole(path, keys_to_json([*known, *new]), mode=0o600)
    return path


def read_keys(path: Path, *, release: bool = False) -> tuple[TrustedKey, ...]:
    """Read a list of public keys; a file that does not exist holds none.

    Raises:
        ManifestError: the list is malformed, or an entry's key id is not its key's.
    """
    try:
        listed = from_values(_Keys, parse_json(read_whole(path, MAX_MANIFEST_BYTES)))
        if listed.format != FORMAT:
            raise ValueError(f"format {listed.format}")
        return tuple(_key(entry, release=release) for entry in listed.keys)
    except FileNotFoundError:
        return ()
    except (OSError, ValueError) as error:
        raise ManifestError(
            "keys_unreadable", path=str(path), reason=cause(error), format=FORMAT
        ) from error


def keys_to_json(keys: Iterable[TrustedKey]) -> str:
    """The text of a list of public keys."""
    entries = tuple(_Entry(key.key_id, key.public_key.hex(), key.name) for key in keys)
    return json.dumps(to_values(_Keys(FORMAT, entries)), indent=2, ensure_ascii=False) + "\n"


@dataclass(frozen=True, slots=True)
class _Entry:
    """A public key in a list."""

    key_id: str
    public_key: str
    name: str


@dataclass(frozen=True, slots=True)
class _Keys:
    """A list of public keys."""

    format: int
    keys: tuple[_Entry, ...]


def _key(entry: _Entry, *, release: bool) -> TrustedKey:
    key = TrustedKey(public_key=bytes.fromhex(entry.public_key), name=entry.name, release=release)
    point = ed25519.decode(key.public_key) if len(key.public_key) == ed25519.KEY_BYTES else None
    if point is None or ed25519.has_small_order(point):
        raise ValueError(f"{entry.public_key!r} is no public key")
    if entry.key_id != key.key_id:
        raise ValueError(f"key id {entry.key_id!r} of a key whose id is {key.key_id}")
    return key
