"""Verification against RFC 8032's vectors, `cryptography`, and the inputs that verifiers fall for."""

from __future__ import annotations

import time
from collections.abc import Iterator
from pathlib import Path

import pytest
from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey

from hemx_core.bundle import ed25519
from hemx_core.bundle.ed25519 import (
    BASE,
    ORDER,
    PRIME,
    SQRT_MINUS_ONE,
    Point,
    decode,
    encode,
    has_small_order,
    verify,
)

RFC_8032 = [
    (
        "d75a980182b10ab7d54bfed3c964073a0ee172f3daa62325af021a68f707511a",
        "",
        "e5564300c360ac729086e2cc806e828a84877f1eb8e5d974d873e065224901555fb8821590a33bac"
        "c61e39701cf9b46bd25bf5f0595bbe24655141438e7a100b",
    ),
    (
        "3d4017c3e843895a92b70aa74d1b7ebc9c982ccf2ec4968cc0cd55f12af4660c",
        "72",
        "92a009a9f0d4cab8720e820b5f642540a2b27b5416503f8fb3762223ebdb69da085ac1e43e15996e"
        "458f3613d0f11d8c387b2eaeb4302aeeb00d291612bb0c00",
    ),
    (
        "fc51cd8e6218a1a38da47ed00230f0580816ed13ba3303ac5deb911548908025",
        "af82",
        "6291d657deec24024827e69c3abe01a30ce548a284743a445e3680d7db5ac3ac18ff9b538d16f290"
        "ae67f760984dc6594a7c15e9716ed28dc027beceea1ec40a",
    ),
]
"""RFC 8032 7.1, tests 1 to 3: public key, message, signature."""

WYCHEPROOF = Path(__file__).with_name("wycheproof_ed25519.txt")

PRIVATE = Ed25519PrivateKey.from_private_bytes(bytes(range(32)))
PUBLIC = PRIVATE.public_key().public_bytes_raw()


@pytest.mark.parametrize(("key", "message", "signature"), RFC_8032)
def test_the_vectors_of_the_rfc(key: str, message: str, signature: str) -> None:
    public, text, value = (bytes.fromhex(one) for one in (key, message, signature))
    assert verify(public, text, value)
    assert not verify(public, text + b"\0", value)
    for bit in (0, 255, 256, 511):
        assert not verify(public, text, flipped(value, bit))


def wycheproof() -> Iterator[tuple[int, str, bytes, bytes, bytes]]:
    for line in WYCHEPROOF.read_text("ascii").splitlines():
        if not line.startswith("#"):
            number, result, *rest = line.split()
            key, message, signature = (bytes.fromhex(one.replace("-", "")) for one in rest)
            yield int(number), result, key, message, signature


def test_the_vectors_of_wycheproof() -> None:
    vectors = list(wycheproof())
    assert len(vectors) == 210
    # "Acceptable" are keys of small or mixed order, on which verifiers may differ: a small one is refused.
    found = {number: verify(*rest) for number, _, *rest in vectors}
    assert [number for number, result, *_ in vectors if found[number] and result == "invalid"] == []
    assert [
        number for number, result, *_ in vectors if not found[number] and result == "valid"
    ] == []
    acceptable = [(number, key) for number, result, key, *_ in vectors if result == "acceptable"]
    small = [number for number, key in acceptable if (p := decode(key)) and has_small_order(p)]
    assert len(small) == 8
    assert not any(found[number] for number in small)


def test_agrees_with_cryptography_on_good_and_damaged_signatures() -> None:
    for number in range(24):
        private = Ed25519PrivateKey.from_private_bytes(bytes([number]) * 32)
        public, message = private.public_key().public_bytes_raw(), bytes([number]) * number * 7
        signature = private.sign(message)
        for value in (signature, flipped(signature, number * 21)):
            assert verify(public, message, value) is accepted(public, message, value)
        assert verify(public, message, signature)
        assert not verify(PUBLIC, message, signature)


def test_a_second_signature_made_without_the_key_is_refused() -> None:
    signature = PRIVATE.sign(b"message")
    scalar = int.from_bytes(signature[32:], "little")
    for multiple in range(1, 16):
        if (other := scalar + multiple * ORDER) < 2**256:
            malleable = signature[:32] + other.to_bytes(32, "little")
            # Without the check of S this equation holds: it does for the scalar modulo the order.
            assert other % ORDER == scalar
            assert not verify(PUBLIC, b"message", malleable)
    assert verify(PUBLIC, b"message", signature)


def small_points() -> list[bytes]:
    """Canonical encodings of the eight points whose order divides eight, from a point of order 8."""
    for y in range(2, 200):
        point = decode(y.to_bytes(32, "little"))
        if point is None:
            continue
        torsion = times(ORDER, point)
        if encode(times(4, torsion)) != encode(ed25519.NEUTRAL):
            return [encode(times(number, torsion)) for number in range(8)]
    raise AssertionError("no point of order 8 found")


def test_keys_of_small_order_are_refused() -> None:
    points = small_points()
    assert len(set(points)) == 8
    assert (1).to_bytes(32, "little") in points
    assert (PRIME - 1).to_bytes(32, "little") in points
    for public in points:
        point = decode(public)
        assert point is not None
        assert has_small_order(point)
        for r in points:
            # S = 0 and R = -k·A: with such a key it fits one message in eight, without any secret.
            assert not any(verify(public, bytes([n]), r + bytes(32)) for n in range(8))
    assert not has_small_order(BASE)


def test_one_of_those_would_pass_without_the_check(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(ed25519, "has_small_order", lambda point: False)
    points = small_points()
    assert any(verify(points[1], bytes([n]), r + bytes(32)) for r in points for n in range(8))


@pytest.mark.parametrize("y", [PRIME, PRIME + 1, PRIME + 3, 2**255 - 1])
def test_other_encodings_of_a_number_are_no_points(y: int) -> None:
    for sign in (0, 1):
        assert decode((y | sign << 255).to_bytes(32, "little")) is None


def test_a_negative_zero_and_numbers_off_the_curve_are_no_points() -> None:
    assert decode((1 | 1 << 255).to_bytes(32, "little")) is None
    assert decode((PRIME - 1 | 1 << 255).to_bytes(32, "little")) is None
    on_curve = [decode(y.to_bytes(32, "little")) for y in range(2, 102)]
    assert 25 < sum(point is None for point in on_curve) < 75
    for point in on_curve:
        if point is not None:
            x, y = point[0], point[1]
            assert (y * y - x * x - 1 - ed25519.CURVE_D * x * x * y * y) % PRIME == 0
            assert decode(encode(point)) == point


def test_an_encoding_of_r_that_is_not_canonical_is_refused() -> None:
    neutral = (PRIME + 1).to_bytes(32, "little")
    assert not verify(PUBLIC, b"", neutral + bytes(32))


@pytest.mark.parametrize("size", [0, 31, 33, 63, 65, 128])
def test_wrong_lengths_are_refused(size: int) -> None:
    signature = PRIVATE.sign(b"")
    assert not verify(PUBLIC, b"", (signature * 2)[:size])
    assert not verify((PUBLIC * 4)[:size], b"", signature)


def test_the_base_point_and_the_root() -> None:
    assert SQRT_MINUS_ONE * SQRT_MINUS_ONE % PRIME == PRIME - 1
    assert BASE[0] % 2 == 0
    assert encode(times(ORDER, BASE)) == encode(ed25519.NEUTRAL)
    assert encode(times(ORDER - 1, BASE)) != encode(ed25519.NEUTRAL)


def test_verification_takes_no_noticeable_time() -> None:
    signature, times_s = PRIVATE.sign(b"x" * 8000), []
    for _ in range(5):
        start = time.process_time()
        assert verify(PUBLIC, b"x" * 8000, signature)
        times_s.append(time.process_time() - start)
    # Some 2 ms on a desk; a bound that only a mistake in the algorithm exceeds.
    assert min(times_s) < 0.1


def times(number: int, point: Point) -> Point:
    return ed25519._combine(number, point, 0, point)


def flipped(content: bytes, bit: int) -> bytes:
    changed = bytearray(content)
    changed[bit // 8] ^= 1 << bit % 8
    return bytes(changed)


def accepted(public: bytes, message: bytes, signature: bytes) -> bool:
    try:
        Ed25519PublicKey.from_public_bytes(public).verify(signature, message)
    except InvalidSignature:
        return False
    return True
