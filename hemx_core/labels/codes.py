"""Codes in the place of names, dates and UIDs, made with a key that stays where the names are."""

from __future__ import annotations

import hashlib
import hmac
import secrets
from dataclasses import dataclass, replace
from datetime import datetime, timedelta

import numpy as np

from hemx_core.errors import InputError
from hemx_core.imaging.volume import AIR_HU, HUVolume, SeriesIdentity
from hemx_core.phantoms.dicom import make_uids

KEY_BYTES = 32
_DIGITS = 10
_YEAR_S = 365 * 24 * 3600
SHIFT_S = (1 * _YEAR_S, 11 * _YEAR_S)
"""How far a patient's dates are moved back."""
TRAIN_SHARE, VALIDATION_SHARE = 0.6, 0.2


def new_key() -> bytes:
    """A new secret; whoever has it can find a patient's code from the ID."""
    return secrets.token_bytes(KEY_BYTES)


@dataclass(frozen=True, slots=True, repr=False)
class Coder:
    """Codes by HMAC-SHA256: the same for the same key, and no way back without it.

    A bare hash would not do: patient IDs are short, and all of them are quickly tried.

    Args:
        key: secret; kept apart from what is passed on.
    """

    key: bytes

    def patient(self, identity: SeriesIdentity) -> str:
        """Of the patient ID; where there is none each study is a patient of its own."""
        told = identity.patient_id.strip()
        return self._code("P", told) if told else self._code("P", "study", _own(identity))

    def study(self, identity: SeriesIdentity) -> str:
        """Of the series: two series of one study are two."""
        return self._code("S", _own(identity))

    def site(self, identity: SeriesIdentity) -> str:
        """Of the institution's name; empty where none is told."""
        told = identity.site.strip()
        return self._code("site-", told) if told else ""

    def reader(self, name: str) -> str:
        """Of who answered."""
        return self._code("reader-", name.strip())

    def shifted(self, identity: SeriesIdentity) -> datetime | None:
        """The time of the study, moved back by 1 to 11 years, the same for all studies of a patient."""
        if identity.acquired_at is None:
            return None
        low, high = SHIFT_S
        drawn = int.from_bytes(self._digest("shift", self.patient(identity))[:8], "big")
        return identity.acquired_at.replace(microsecond=0) - timedelta(
            seconds=low + drawn % (high - low)
        )

    def nameless(self, volume: HUVolume) -> HUVolume:
        """The volume with codes for an identity; of the header only the scanner's model stays.

        Raises:
            InputError: its pictures carry text, which may name the patient.
        """
        if any(note.code == "burned_in" for note in volume.notes):
            raise InputError("burned_in_labels")
        own = volume.identity
        patient, study = self.patient(own), self.study(own)
        made = make_uids(len(volume.hu), study)
        return replace(
            volume,
            hu=np.maximum(volume.hu, AIR_HU),
            identity=replace(
                made,
                patient_id=patient,
                patient_name=patient,
                series_description=study,
                site=self.site(own),
                scanner=own.scanner,
                acquired_at=self.shifted(own),
            ),
        )

    def _digest(self, *parts: str) -> bytes:
        text = "\0".join(parts).encode("utf-8")
        return hmac.new(self.key, text, hashlib.sha256).digest()

    def _code(self, kind: str, *parts: str) -> str:
        number = int.from_bytes(self._digest(kind, *parts)[:8], "big") % 10**_DIGITS
        # Digits alone: letters might read as a word, such as one for contrast medium.
        return f"{kind}{number:0{_DIGITS}}"


def split_of(patient: str) -> str:
    """The split that a patient's code falls into: 60, 20 and 20 % of many; never another one later."""
    share = int.from_bytes(hashlib.sha256(patient.encode()).digest()[:4], "big") / 2**32
    if share < TRAIN_SHARE:
        return "train"
    return "validation" if share < TRAIN_SHARE + VALIDATION_SHARE else "test"


def _own(identity: SeriesIdentity) -> str:
    return identity.series_uid or identity.study_uid or identity.source
