"""Keys and the `hemx bundle` commands."""

from __future__ import annotations

import json
import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import pytest
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric.x25519 import X25519PrivateKey
from typer.testing import CliRunner

from export import bundle_cli
from export.bundle_cli import signer
from export.sign import PUBLIC_SUFFIX, generate_key, load_key, local_key, sign_bundle
from hemx_core.bundle import load, signature
from hemx_core.bundle.load import app_models_folder, verify_bundle
from hemx_core.bundle.signature import (
    CONFIG_VARIABLE,
    SIGNATURE_NAME,
    TRUSTED_NAME,
    read_keys,
    trust_keys,
)
from hemx_core.commands.main import make_app
from hemx_core.errors import (
    HemxError,
    IntegrityError,
    ManifestError,
    OutputError,
    SignatureError,
    UnknownKeyError,
)
from hemx_core.manifest import MANIFEST_NAME
from tests.factories import write_fake_bundle

ROOT = Path(__file__).resolve().parents[2]


@pytest.fixture
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A computer on which nothing was ever signed."""
    monkeypatch.setenv(CONFIG_VARIABLE, str(tmp_path / "home"))
    return tmp_path / "home"


def run(*arguments: object, answers: str = "") -> str:
    result = CliRunner().invoke(
        make_app(), ["bundle", *map(str, arguments)], input=answers, catch_exceptions=True
    )
    if isinstance(result.exception, HemxError):
        raise result.exception
    assert result.exit_code == 0, result.output
    return result.output


def test_the_local_key_is_made_once_and_trusted(home: Path, tmp_path: Path) -> None:
    write_fake_bundle(tmp_path / "one")
    first = (home / "signing_key.pem").read_bytes()
    write_fake_bundle(tmp_path / "two")
    assert (home / "signing_key.pem").read_bytes() == first
    (trusted,) = read_keys(home / TRUSTED_NAME)
    assert verify_bundle(tmp_path / "one").signed_by == trusted
    assert not trusted.release
    assert not list(home.glob("*.tmp"))


def test_another_computer_does_not_trust_it(
    home: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    write_fake_bundle(tmp_path / "bundle")
    monkeypatch.setenv(CONFIG_VARIABLE, str(tmp_path / "elsewhere"))
    with pytest.raises(UnknownKeyError, match="hemx bundle trust"):
        verify_bundle(tmp_path / "bundle")
    run("trust", home / f"signing_key{PUBLIC_SUFFIX}")
    assert "not a release key" in run("verify", tmp_path / "bundle")


def test_keygen_sign_verify_with_a_passphrase(home: Path, tmp_path: Path) -> None:
    write_fake_bundle(tmp_path / "bundle")
    key = tmp_path / "keys" / "release.pem"
    made = run("keygen", key, "--name", "Site A", answers="secret words\nsecret words\n")
    assert b"ENCRYPTED" in key.read_bytes()
    assert "secret words" not in made
    public = key.with_suffix(PUBLIC_SUFFIX)
    (site,) = read_keys(public)
    assert site.key_id in made
    assert site.key_id in run("sign", tmp_path / "bundle", "--key", key, answers="secret words\n")
    with pytest.raises(UnknownKeyError):
        run("verify", tmp_path / "bundle")
    shown = run("verify", tmp_path / "bundle", "--key", public)
    assert f"{site.key_id} (Site A)" in shown
    assert "classifier.pte" in shown
    with pytest.raises(SignatureError, match="cannot be read"):
        load_key(key, passphrase=b"wrong")
    with pytest.raises(SignatureError, match="cannot be read"):
        load_key(key)


def test_verify_with_release_keys_refuses_a_development_key(tmp_path: Path) -> None:
    write_fake_bundle(tmp_path)
    assert "not a release key" in run("verify", tmp_path)
    with pytest.raises(UnknownKeyError):
        run("verify", tmp_path, "--release")


def test_the_export_tells_how_far_its_signature_reaches(tmp_path: Path) -> None:
    assert signer(app_models_folder()).endswith("release key")
    write_fake_bundle(tmp_path)
    assert (
        signer(tmp_path) == f"{local_key().key_id}, no release key: other computers and tablets "
        "refuse the bundle"
    )
    (tmp_path / SIGNATURE_NAME).unlink()
    with pytest.raises(SignatureError):
        signer(tmp_path)


def test_the_command_is_there_without_cryptography_being_imported() -> None:
    code = (
        "import sys; from typer.testing import CliRunner; "
        "from hemx_core.commands.main import make_app; "
        "run = CliRunner().invoke(make_app(), ['bundle', 'verify', '--release']); "
        "assert run.exit_code == 0 and 'classifier.pte' in run.output, run.output; "
        "assert not {'cryptography', 'torch', 'executorch'} & set(sys.modules)"
    )
    subprocess.run([sys.executable, "-c", code], check=True, cwd=ROOT)


def test_a_key_is_never_overwritten(tmp_path: Path) -> None:
    path = tmp_path / "key.pem"
    generate_key(path, name="A")
    before = path.read_bytes()
    with pytest.raises(OutputError, match="exists"):
        generate_key(path, name="B")
    assert path.read_bytes() == before
    assert "PRIVATE" not in repr(load_key(path))


def test_only_ed25519_keys_sign(tmp_path: Path) -> None:
    other = X25519PrivateKey.generate().private_bytes(
        serialization.Encoding.PEM,
        serialization.PrivateFormat.PKCS8,
        serialization.NoEncryption(),
    )
    (tmp_path / "other.pem").write_bytes(other)
    with pytest.raises(SignatureError, match="another kind"):
        load_key(tmp_path / "other.pem")
    for content in (b"", b"no key", b"-----BEGIN PRIVATE KEY-----\n"):
        (tmp_path / "bad.pem").write_bytes(content)
        with pytest.raises(SignatureError, match="keygen"):
            load_key(tmp_path / "bad.pem")


def test_nothing_damaged_is_signed(tmp_path: Path) -> None:
    write_fake_bundle(tmp_path)
    (tmp_path / SIGNATURE_NAME).unlink()
    path = tmp_path / MANIFEST_NAME
    good = path.read_bytes()
    path.write_text(json.dumps(json.loads(good)), encoding="utf-8")
    with pytest.raises(ManifestError, match="would write otherwise"):
        sign_bundle(tmp_path)
    path.write_bytes(good)
    program = tmp_path / "segmenter.pte"
    program.write_bytes(program.read_bytes() + b"\0")
    with pytest.raises(IntegrityError, match="segmenter"):
        sign_bundle(tmp_path)
    assert not (tmp_path / SIGNATURE_NAME).exists()


def test_trusting_twice_keeps_one_and_a_list_without_keys_is_refused(
    home: Path, tmp_path: Path
) -> None:
    public = generate_key(tmp_path / "key.pem", name="A")
    assert trust_keys([public]) == trust_keys([replace(public, name="again")])
    assert read_keys(home / TRUSTED_NAME) == (public,)
    with pytest.raises(ManifestError, match="no public key"):
        run("trust", tmp_path / "missing.json")


def test_without_a_home_there_is_no_local_key(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(signature, "config_folder", lambda: None)
    with pytest.raises(OutputError, match=CONFIG_VARIABLE):
        local_key()


def test_the_app_s_bundle_is_the_default(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    write_fake_bundle(tmp_path)
    (tmp_path / SIGNATURE_NAME).unlink()
    monkeypatch.setattr(bundle_cli, "app_models_folder", lambda: tmp_path)
    monkeypatch.setattr(load, "app_models_folder", lambda: tmp_path)
    assert str(tmp_path) in run("sign")
    assert str(tmp_path) in run("verify")


def test_no_private_key_lies_in_the_repository() -> None:
    names = subprocess.run(
        ["git", "ls-files", "*.pem", "*.key", "*.p8", "*.jks"],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=False,
    )
    if names.returncode:
        pytest.skip("not a git checkout")
    assert names.stdout == ""
