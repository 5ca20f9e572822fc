"""Verify Ed25519 signatures with Python's integers alone, so that a tablet needs no native package.

Only verification: it handles no secret, so that timing which depends on the input does no harm.
`export.sign` signs, with the library `cryptography`.

Source: RFC 8032, sections 5.1.3 (decoding), 5.1.4 (addition, doubling) and 5.1.7 (verification).
Where the RFC leaves a choice, the stricter one is taken: the equation without the cofactor, no encoding but
the canonical one of S, R and the key, and no key of small order (for which one signature fits any message).
"""

from __future__ import annotations

import hashlib

KEY_BYTES = 32
SIGNATURE_BYTES = 64

PRIME = 2**255 - 19
ORDER = 2**252 + 27742317777372353535851937790883648493
"""Order of the base point, L in the RFC."""
CURVE_D = -121665 * pow(121666, -1, PRIME) % PRIME
SQRT_MINUS_ONE = pow(2, (PRIME - 1) // 4, PRIME)

Point = tuple[int, int, int, int]
"""Extended coordinates (X, Y, Z, T): x = X/Z, y = Y/Z, xy = T/Z."""

NEUTRAL: Point = (0, 1, 1, 0)


def verify(public_key: bytes, message: bytes, signature: bytes) -> bool:
    """Whether a signature of a message was made with the private half of a key.

    Args:
        public_key: the key's encoding, 32 bytes.
        message: what was signed.
        signature: R and S, 64 bytes.
    Returns:
        False for any wrong length, encoding, key or equation; never an error.
    Source:
        RFC 8032 5.1.7: S·B = R + k·A, computed as R = S·B - k·A and compared in its encoding.
    """
    if len(public_key) != KEY_BYTES or len(signature) != SIGNATURE_BYTES:
        return False
    key = decode(public_key)
    scalar = int.from_bytes(signature[32:], "little")
    if key is None or has_small_order(key) or scalar >= ORDER:
        return False
    digest = hashlib.sha512(signature[:32] + public_key + message).digest()
    challenge = int.from_bytes(digest, "little") % ORDER
    return encode(_combine(scalar, BASE, challenge, _negate(key))) == signature[:32]


def decode(encoding: bytes) -> Point | None:
    """The point of a canonical encoding, 32 bytes; None where there is none (RFC 8032 5.1.3)."""
    number = int.from_bytes(encoding, "little")
    sign, y = number >> 255, number & (2**255 - 1)
    if y >= PRIME:
        return None
    numerator, denominator = (y * y - 1) % PRIME, (CURVE_D * y * y + 1) % PRIME
    x = _square_root_of_ratio(numerator, denominator)
    if x is None or (x == 0 and sign):
        return None
    if x & 1 != sign:
        x = PRIME - x
    return x, y, 1, x * y % PRIME


def encode(point: Point) -> bytes:
    """The canonical encoding of a point, 32 bytes (RFC 8032 5.1.2)."""
    x, y, z, _ = point
    inverse = pow(z, -1, PRIME)
    x, y = x * inverse % PRIME, y * inverse % PRIME
    return (y | (x & 1) << 255).to_bytes(KEY_BYTES, "little")


def has_small_order(point: Point) -> bool:
    """Whether eight times the point is the neutral element."""
    x, y, z, _ = _double(_double(_double(point)))
    return x == 0 and y == z


def _square_root_of_ratio(numerator: int, denominator: int) -> int | None:
    """The root of numerator / denominator modulo the prime; None where it is no square."""
    cube = denominator * denominator * denominator % PRIME
    seventh = cube * cube * denominator % PRIME
    root = numerator * cube * pow(numerator * seventh, (PRIME - 5) // 8, PRIME) % PRIME
    square = denominator * root * root % PRIME
    if square == numerator:
        return root
    if square == PRIME - numerator:
        return root * SQRT_MINUS_ONE % PRIME
    return None


def _add(one: Point, two: Point) -> Point:
    """RFC 8032 5.1.4; complete, so it serves for any two points of the curve."""
    x1, y1, z1, t1 = one
    x2, y2, z2, t2 = two
    a = (y1 - x1) * (y2 - x2) % PRIME
    b = (y1 + x1) * (y2 + x2) % PRIME
    c = 2 * t1 * t2 * CURVE_D % PRIME
    d = 2 * z1 * z2 % PRIME
    e, f, g, h = b - a, d - c, d + c, b + a
    return e * f % PRIME, g * h % PRIME, f * g % PRIME, e * h % PRIME


def _double(point: Point) -> Point:
    """RFC 8032 5.1.4."""
    x, y, z, _ = point
    a = x * x % PRIME
    b = y * y % PRIME
    c = 2 * z * z
    h = a + b
    e = h - (x + y) * (x + y)
    g = a - b
    f = c + g
    return e * f % PRIME, g * h % PRIME, f * g % PRIME, e * h % PRIME


def _negate(point: Point) -> Point:
    x, y, z, t = point
    return PRIME - x, y, z, PRIME - t


def _combine(first: int, one: Point, second: int, two: Point) -> Point:
    """first·one + second·two in one pass over the bits (Shamir's trick)."""
    table = (NEUTRAL, one, two, _add(one, two))
    result = NEUTRAL
    for bit in reversed(range(max(first.bit_length(), second.bit_length()))):
        result = _double(result)
        choice = (first >> bit & 1) | (second >> bit & 1) << 1
        if choice:
            result = _add(result, table[choice])
    return result


def _base_point() -> Point:
    """The point of y = 4/5 and even x (RFC 8032 5.1)."""
    y = 4 * pow(5, -1, PRIME) % PRIME
    point = decode(y.to_bytes(KEY_BYTES, "little"))
    if point is None:
        raise ArithmeticError("the base point is not on the curve")
    return point


BASE = _base_point()
