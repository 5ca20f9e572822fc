"""Facts of the Result screen, computed outside the interface's thread; no Kivy.

result (+ correction, + stored comparisons, + manifest) -> Facts -> the screen's words and bars
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from enum import StrEnum
from typing import TYPE_CHECKING

from hemx_core.measure.corrected import correct_result
from hemx_core.measure.estimate import estimate_result
from hemx_core.result import MarkerResult, SignResult, TriageResult
from mobile_app.result.expansion import Expansion, doubted, expansions_of_patient, into, urged

if TYPE_CHECKING:
    from hemx_core.imaging.volume import HUVolume
    from hemx_core.manifest import ModelManifest
    from mobile_app.store import Correction, Store, StoredReading
    from mobile_app.work.jobs import Report


class Opinion(StrEnum):
    """What the rule on CT values says beside a marker."""

    AGREES = "agrees"
    DISAGREES = "disagrees"
    UNDECIDED = "undecided"
    NONE = "none"


@dataclass(frozen=True, slots=True, kw_only=True)
class MarkerFinding:
    """A marker against its threshold, with its second opinion.

    Args:
        marker: calibrated probability and threshold.
        half_width: of the uncertain band, probability; None where it is not known.
        sign: the rule of the same name; None where the rules judged nothing.
    """

    marker: MarkerResult
    half_width: float | None
    sign: SignResult | None

    @property
    def band(self) -> tuple[float, float] | None:
        """The uncertain band round the threshold, cut to [0, 1]."""
        if self.half_width is None:
            return None
        limit = self.marker.threshold
        return max(0.0, limit - self.half_width), min(1.0, limit + self.half_width)

    @property
    def uncertain(self) -> bool:
        """Whether the probability is in the uncertain band; the decision against the threshold stays."""
        band = self.band
        return band is not None and band[0] <= self.marker.probability <= band[1]

    @property
    def opinion(self) -> Opinion:
        """Whether the rule says the same."""
        if self.sign is None:
            return Opinion.NONE
        if self.sign.present is None:
            return Opinion.UNDECIDED
        return Opinion.AGREES if self.sign.present is self.marker.present else Opinion.DISAGREES


@dataclass(frozen=True, slots=True, kw_only=True)
class ModelFacts:
    """What the bundle says of the model that made a result.

    Args:
        licence: of the weights.
        half_width: see `uncertain_half_width`.
    """

    licence: str
    half_width: float | None


@dataclass(frozen=True, kw_only=True, eq=False)
class Facts:
    """Everything that the screen shows of a result.

    Args:
        shown: the result, with the corrected mask where there is one, and the advice to call where a
            comparison found expansion.
        automatic: the result as triage gave it.
        interval_ml: 90 % interval of the shown volume; None where there is none.
        expansions: stored comparisons of the patient, newest first.
        model: None where the bundle that made the result is not the present one.
        readings: each reader's newest answers, newest first.
    """

    shown: TriageResult
    automatic: TriageResult
    interval_ml: tuple[float, float] | None
    expansions: tuple[Expansion, ...]
    model: ModelFacts | None
    readings: tuple[StoredReading, ...] = ()

    @property
    def markers(self) -> tuple[MarkerFinding, ...]:
        """Markers in the result's order."""
        return marker_findings(self.shown, self.model.half_width if self.model else None)


def marker_findings(result: TriageResult, half_width: float | None) -> tuple[MarkerFinding, ...]:
    """Each marker with the rule of its name."""
    signs = {sign.code: sign for sign in result.signs}
    return tuple(
        MarkerFinding(marker=marker, half_width=half_width, sign=signs.get(marker.code))
        for marker in result.markers.values()
    )


def uncertain_half_width(manifest: ModelManifest) -> float | None:
    """How near to its threshold a probability is "uncertain": the int8 program's largest measured change.

    The manifest's `marker_max` is the largest difference between the exported int8 and the trained
    network's calibrated probability over all validation slices and markers. Nearer to the threshold than
    that the answer is not robust against rounding alone.

    Returns:
        Probability; None where the bundle carries no such measurement.
    """
    value = manifest.parity.get("marker_max")
    if isinstance(value, bool) or not isinstance(value, int | float) or not 0 <= value < 1:
        return None
    return float(value)


def model_facts(result: TriageResult, manifest: ModelManifest | None) -> ModelFacts | None:
    """What a bundle says of a result that it made; None where another one made it."""
    if manifest is None:
        return None
    made_by = [result.versions.get(f"{name}_sha256") for name in ("segmenter", "classifier")]
    if made_by != [manifest.segmenter.sha256, manifest.classifier.sha256]:
        return None
    licences = {
        str(training["licence"])
        for training in manifest.training.values()
        if isinstance(training, dict) and training.get("licence")
    }
    return ModelFacts(
        licence="; ".join(sorted(licences)), half_width=uncertain_half_width(manifest)
    )


def gather(
    store: Store,
    *,
    study_id: int,
    result: TriageResult,
    correction: Correction | None,
    volume: HUVolume,
    manifest: Callable[[], ModelManifest | None],
) -> Callable[[Report[object]], Facts]:
    """Work that finds the facts of a study's result; takes some tens of milliseconds.

    Raises (in the job):
        StoreError: a stored comparison or result cannot be read.
    """

    def work(_report: Report[object]) -> Facts:
        shown = result
        if correction is not None:
            shown = correct_result(result, correction.mask, volume, version=correction.version)
        expansions = expansions_of_patient(store, study_id)
        return Facts(
            shown=doubted(store, study_id, urged(shown, into(study_id, expansions))),
            automatic=result,
            interval_ml=estimate_result(shown).interval_ml,
            expansions=expansions,
            model=model_facts(result, manifest()),
            readings=store.readings.of_study(study_id),
        )

    return work


def bundle_manifest() -> ModelManifest | None:
    """The present bundle's manifest; None where there is none. Who loads models verifies it."""
    from hemx_core.bundle.load import default_bundle
    from hemx_core.errors import ManifestError
    from hemx_core.manifest import ModelManifest, read_manifest

    try:
        return ModelManifest.from_bytes(read_manifest(default_bundle()))
    except ManifestError:
        return None
