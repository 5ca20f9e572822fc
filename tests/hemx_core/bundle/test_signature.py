"""What is refused, with which reason, and that no flipped bit of a bundle passes."""

from __future__ import annotations

import hashlib
import json
import mmap
import os
import random
from dataclasses import replace
from pathlib import Path

import pytest

from export.sign import generate_key, load_key, local_key, sign_bundle
from hemx_core.bundle.load import app_models_folder, load_models, verify_bundle
from hemx_core.bundle.signature import (
    CONFIG_VARIABLE,
    CONTEXT,
    SIGNATURE_NAME,
    TRUSTED_NAME,
    Signature,
    TrustedKey,
    config_folder,
    keys_to_json,
    local_keys,
    read_keys,
    read_signature,
    release_keys,
    trust_keys,
    trusted_keys,
)
from hemx_core.errors import (
    IntegrityError,
    ManifestError,
    OutputError,
    SignatureError,
    UnknownKeyError,
)
from hemx_core.manifest import MANIFEST_NAME, SCHEMA_VERSION, ModelManifest
from hemx_core.pipeline import triage_volume
from tests.factories import FakeBackend, simple_head, write_fake_bundle

FILES = (MANIFEST_NAME, SIGNATURE_NAME, "segmenter.pte", "classifier.pte")
FLIPS = 1000


@pytest.fixture
def bundle(tmp_path: Path) -> Path:
    write_fake_bundle(tmp_path / "bundle", size=64, crop_size=32)
    return tmp_path / "bundle"


def refusals(folder: Path, flips: dict[str, int], keys: tuple[TrustedKey, ...], seed: int) -> int:
    """How many bundles with one flipped bit each are refused; every bit is put back."""
    chance, refused = random.Random(seed), 0
    for name, count in flips.items():
        with (folder / name).open("r+b") as stream, mmap.mmap(stream.fileno(), 0) as content:
            for position in sorted(chance.sample(range(len(content) * 8), count)):
                content[position // 8] ^= 1 << position % 8
                try:
                    verify_bundle(folder, keys=keys)
                except (ManifestError, IntegrityError) as error:
                    refused += bool(error.expected and error.remedy)
                content[position // 8] ^= 1 << position % 8
    return refused


def test_a_thousand_flipped_bits_are_a_thousand_refusals(bundle: Path) -> None:
    keys = trusted_keys()
    flips = dict.fromkeys(FILES, FLIPS // len(FILES))
    assert refusals(bundle, flips, keys, seed=20260101) == FLIPS
    assert verify_bundle(bundle, keys=keys).signed_by in keys


def test_every_bit_of_a_signature_file_counts(bundle: Path) -> None:
    bits = (bundle / SIGNATURE_NAME).stat().st_size * 8
    assert refusals(bundle, {SIGNATURE_NAME: bits}, trusted_keys(), seed=0) == bits


def test_the_shipped_bundle_is_signed_with_a_release_key(tmp_path: Path) -> None:
    """The one that a fresh checkout, the wheel and the tablet load; a copy is flipped."""
    shipped = verify_bundle(app_models_folder(), keys=release_keys())
    assert shipped.signed_by in release_keys()
    assert shipped.notes == ()
    for name in FILES:
        (tmp_path / name).write_bytes((app_models_folder() / name).read_bytes())
    flips = {MANIFEST_NAME: 40, SIGNATURE_NAME: 40, "segmenter.pte": 2, "classifier.pte": 2}
    assert refusals(tmp_path, flips, release_keys(), seed=1) == 84


def test_a_missing_signature_is_refused_unless_asked_for(bundle: Path) -> None:
    (bundle / SIGNATURE_NAME).unlink()
    backend = FakeBackend()
    with pytest.raises(SignatureError, match=f"without {SIGNATURE_NAME}") as caught:
        load_models(bundle, backend)
    assert "hemx bundle sign" in caught.value.remedy
    assert not backend.opened
    with load_models(bundle, backend, allow_unsigned=True) as models:
        assert [note.code for note in models.notes] == ["models_unsigned"]


def test_the_result_says_where_the_models_come_from(bundle: Path) -> None:
    with load_models(bundle, FakeBackend()) as models:
        result = triage_volume(simple_head(), models)
    assert "models_local_key" in {note.code for note in result.notes}
    (bundle / SIGNATURE_NAME).unlink()
    with load_models(bundle, FakeBackend(), allow_unsigned=True) as models:
        result = triage_volume(simple_head(), models)
    assert "models_unsigned" in {note.code for note in result.notes}


def test_allowing_unsigned_bundles_allows_no_wrong_signature(bundle: Path) -> None:
    path = bundle / SIGNATURE_NAME
    signature = Signature.from_bytes(path.read_bytes())
    path.write_bytes(replace(signature, value=bytes(64)).to_bytes())
    with pytest.raises(SignatureError, match="is not what key"):
        verify_bundle(bundle, allow_unsigned=True)
    path.write_bytes(replace(signature, key_id="0" * 16).to_bytes())
    with pytest.raises(UnknownKeyError, match="0000000000000000"):
        verify_bundle(bundle, allow_unsigned=True)


def test_an_unknown_key_is_refused_until_it_is_trusted(bundle: Path, tmp_path: Path) -> None:
    public = generate_key(tmp_path / "other.pem", name="Site B")
    sign_bundle(bundle, load_key(tmp_path / "other.pem"))
    with pytest.raises(UnknownKeyError, match=public.key_id) as caught:
        verify_bundle(bundle)
    assert local_key().key_id in caught.value.expected
    with pytest.raises(UnknownKeyError, match="no key at all"):
        verify_bundle(bundle, keys=[])
    assert verify_bundle(bundle, keys=[public]).signed_by == public


def test_a_signature_of_another_manifest_is_refused(bundle: Path) -> None:
    manifest = ModelManifest.load(bundle)
    replace(manifest, mask_threshold=0.01).save(bundle)
    assert ModelManifest.load(bundle).mask_threshold == 0.01
    with pytest.raises(SignatureError, match="is not what key"):
        verify_bundle(bundle)


def test_the_signature_is_of_a_bundle_and_of_nothing_else(bundle: Path) -> None:
    """A key that signed the bare bytes, for whatever purpose, has not signed a bundle."""
    key = local_key()
    bare = key.private.sign((bundle / MANIFEST_NAME).read_bytes())
    (bundle / SIGNATURE_NAME).write_bytes(Signature(key_id=key.key_id, value=bare).to_bytes())
    with pytest.raises(SignatureError, match="is not what key"):
        verify_bundle(bundle)


@pytest.mark.parametrize("version", [0, SCHEMA_VERSION + 1, None])
def test_another_schema_is_refused_with_its_version_though_signed(
    bundle: Path, version: int | None
) -> None:
    values = json.loads((bundle / MANIFEST_NAME).read_text(encoding="utf-8"))
    content = json.dumps({**values, "schema_version": version}).encode()
    sign_anything(bundle, content)
    with pytest.raises(ManifestError, match=f"schema version {version}") as caught:
        verify_bundle(bundle)
    assert not isinstance(caught.value, SignatureError)


@pytest.mark.parametrize("content", [b"", b"{}", b"[]", b"\xff\xfe", b"null"])
def test_a_signed_manifest_that_is_none_is_refused(bundle: Path, content: bytes) -> None:
    sign_anything(bundle, content)
    with pytest.raises(ManifestError, match="not readable"):
        verify_bundle(bundle)


def sign_anything(bundle: Path, content: bytes) -> None:
    """Sign what `sign_bundle` would refuse."""
    key = local_key()
    (bundle / MANIFEST_NAME).write_bytes(content)
    signature = Signature(key_id=key.key_id, value=key.private.sign(CONTEXT + content))
    (bundle / SIGNATURE_NAME).write_bytes(signature.to_bytes())


@pytest.mark.parametrize(
    "change",
    [
        lambda content: b"",
        lambda content: content + b" ",
        lambda content: content.replace(b"  ", b" "),
        lambda content: content.upper(),
        lambda content: content.replace(b"Ed25519", b"none"),
        lambda content: content.replace(b'"format": 1', b'"format": 2'),
        lambda content: content[:-1] + b"0" * 5000,
        lambda content: content.decode().encode("utf-16"),
        lambda content: b"[" * 4000,
        lambda content: b'{"key_id": [], "signature": "00"}',
        lambda content: b'{"key_id": "a", "signature": 7}',
    ],
)
def test_a_signature_file_has_one_form_only(bundle: Path, change) -> None:  # type: ignore[no-untyped-def]
    path = bundle / SIGNATURE_NAME
    path.write_bytes(change(path.read_bytes()))
    with pytest.raises(SignatureError, match="not readable") as caught:
        verify_bundle(bundle)
    assert "copy the bundle again" in caught.value.remedy


def test_a_signature_that_cannot_be_read_is_no_missing_one(bundle: Path) -> None:
    (bundle / SIGNATURE_NAME).unlink()
    (bundle / SIGNATURE_NAME).mkdir()
    with pytest.raises(SignatureError, match="cannot be read"):
        verify_bundle(bundle, allow_unsigned=True)


def test_a_tablet_trusts_release_keys_only(bundle: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    assert local_keys()
    monkeypatch.setenv("ANDROID_ARGUMENT", "/data/app")
    assert local_keys() == ()
    assert trusted_keys() == release_keys()
    with pytest.raises(UnknownKeyError):
        verify_bundle(bundle)


def test_where_the_keys_of_this_computer_lie(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv(CONFIG_VARIABLE)
    monkeypatch.setenv("XDG_CONFIG_HOME", str(tmp_path))
    monkeypatch.setenv("APPDATA", str(tmp_path))
    assert config_folder() == tmp_path / "hemx"
    assert local_keys() == ()
    monkeypatch.delenv("XDG_CONFIG_HOME")
    monkeypatch.delenv("APPDATA")
    monkeypatch.setattr(Path, "home", lambda: (_ for _ in ()).throw(RuntimeError("no home")))
    assert config_folder() is None
    assert trusted_keys() == release_keys()


GOOD = TrustedKey(public_key=release_keys()[0].public_key, name="日本")


def test_a_list_of_keys_comes_back(tmp_path: Path) -> None:
    path = tmp_path / TRUSTED_NAME
    path.write_text(keys_to_json([GOOD]), encoding="utf-8")
    assert read_keys(path) == (GOOD,)
    assert read_keys(path, release=True) == (replace(GOOD, release=True),)
    assert read_keys(tmp_path / "none.json") == ()


@pytest.mark.parametrize(
    "change",
    [
        ('"format": 1', '"format": 2'),
        (GOOD.key_id, "0" * 16),
        (GOOD.public_key.hex(), "00" * 31),
        (GOOD.public_key.hex(), "01" + "00" * 31),
        (GOOD.public_key.hex(), "ff" * 32),
        ('"name"', '"nome"'),
        ("{", "["),
    ],
)
def test_a_malformed_list_of_keys_is_refused(tmp_path: Path, change: tuple[str, str]) -> None:
    path = tmp_path / TRUSTED_NAME
    path.write_text(keys_to_json([GOOD]).replace(*change), encoding="utf-8")
    with pytest.raises(ManifestError, match="list of trusted keys"):
        read_keys(path)


def test_both_files_have_the_form_that_was_released() -> None:
    """To the byte: what is signed today must be read by a tablet of yesterday."""
    signature = Signature(key_id="0123456789abcdef", value=bytes(range(64)))
    assert signature.to_bytes().decode() == (
        '{\n  "format": 1,\n  "algorithm": "Ed25519",\n  "key_id": "0123456789abcdef",\n'
        f'  "signature": "{bytes(range(64)).hex()}"\n}}\n'
    )
    assert Signature.from_bytes(signature.to_bytes()) == signature
    assert keys_to_json([GOOD]) == (
        f'{{\n  "format": 1,\n  "keys": [\n    {{\n      "key_id": "{GOOD.key_id}",\n'
        f'      "public_key": "{GOOD.public_key.hex()}",\n      "name": "日本"\n    }}\n  ]\n}}\n'
    )
    assert GOOD.key_id == hashlib.sha256(GOOD.public_key).hexdigest()[:16]
    assert CONTEXT == b"HEMX model bundle manifest, format 1\n"


@pytest.mark.parametrize("encoding", [b"\x01" + bytes(31), b"\xff" * 32, bytes(31)])
def test_what_is_no_public_key_is_refused_under_its_own_key_id(
    encoding: bytes, tmp_path: Path
) -> None:
    path = tmp_path / TRUSTED_NAME
    path.write_text(keys_to_json([replace(GOOD, public_key=encoding)]), encoding="utf-8")
    with pytest.raises(ManifestError, match="list of trusted keys"):
        read_keys(path)


@pytest.mark.skipif(os.name != "posix", reason="the folder is POSIX's")
def test_the_folder_of_a_posix_user(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv(CONFIG_VARIABLE)
    monkeypatch.delenv("XDG_CONFIG_HOME", raising=False)
    monkeypatch.setenv("APPDATA", str(tmp_path / "windows"))
    monkeypatch.setattr(Path, "home", lambda: tmp_path)
    assert config_folder() == tmp_path / ".config" / "hemx"
    monkeypatch.setenv("XDG_CONFIG_HOME", str(tmp_path / "own"))
    assert config_folder() == tmp_path / "own" / "hemx"
    trust_keys([GOOD])
    assert read_keys(tmp_path / "own" / "hemx" / TRUSTED_NAME) == (GOOD,)
    mode = (tmp_path / "own" / "hemx" / TRUSTED_NAME).stat().st_mode
    assert mode & 0o777 == 0o600
    monkeypatch.delenv("XDG_CONFIG_HOME")
    monkeypatch.setattr(Path, "home", lambda: (_ for _ in ()).throw(RuntimeError("no home")))
    with pytest.raises(OutputError):
        trust_keys([GOOD])


def test_a_list_of_keys_that_is_a_folder_is_refused(tmp_path: Path) -> None:
    (tmp_path / TRUSTED_NAME).mkdir()
    with pytest.raises(ManifestError, match="list of trusted keys"):
        read_keys(tmp_path / TRUSTED_NAME)


def test_no_more_of_a_signature_file_is_read_than_one_can_have(tmp_path: Path) -> None:
    assert read_signature(tmp_path) is None
    (tmp_path / SIGNATURE_NAME).write_bytes(b"x" * 10_000)
    assert read_signature(tmp_path) == b"x" * 4096


def test_keys_of_the_program_and_of_this_computer_are_told_apart() -> None:
    assert all(key.release for key in release_keys())
    local_key()
    assert not any(key.release for key in local_keys())
    assert trusted_keys() == (*release_keys(), *local_keys())


@pytest.mark.skipif(os.name != "posix", reason="modes are POSIX's")
def test_a_private_key_is_its_owner_s(configuration: Path) -> None:
    local_key()
    assert (configuration / "signing_key.pem").stat().st_mode & 0o077 == 0
