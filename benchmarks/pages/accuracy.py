"""Facts of the blocks on accuracy, on the app and on the paper's experiments."""

from __future__ import annotations

import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from benchmarks.app.verdicts import MEASUREMENTS
from benchmarks.harness.markdown import ABSENT, interval, table
from benchmarks.paper.report import experiment_facts
from benchmarks.world import report as world_report
from hemx_core.bundle.load import app_models_folder
from hemx_core.manifest import ModelManifest
from hemx_core.markers import MARKERS, Evidence, ReadBy
from hemx_core.measure.signs import SIGNS
from hemx_core.records import Json

REAL_SPLITS = ("validation", "test")
REAL_PARTS = ("one_patient_left_out", "test")
RATES = ("sensitivity", "specificity")
EXPANSION = {
    "he_30": "30 % or more",
    "he_33_or_6ml": "33 % or 6 mL or more",
    "he_12_5ml": "12.5 mL or more",
}


READERS = {
    ReadBy.SYNTHETIC: "synthetic only",
    ReadBy.VISION_MODEL: "read by a vision model, not by a radiologist",
    ReadBy.CLINICIAN: "read by clinicians",
}


def validated(_results: Path, manifest: ModelManifest | None = None) -> str:
    """Which markers of a bundle are validated, and on what evidence; None takes the shipped one."""
    manifest = manifest or ModelManifest.load(app_models_folder())
    names = {marker.code: marker.name_en for marker in MARKERS}
    return table(
        (
            "Marker",
            "Validated on real patients",
            "Evidence",
            "Patients with, without",
            "Sensitivity (95 % interval)",
            "Specificity (95 % interval)",
        ),
        [
            (names[spec.code], "yes" if spec.validated else "**no**", *_evidence(spec.evidence))
            for spec in manifest.markers
        ],
    )


def _evidence(found: Evidence | None) -> tuple[str, ...]:
    if found is None:
        return ("none", ABSENT, ABSENT, ABSENT)
    shares = (
        (found.sensitivity, found.sensitivity_95),
        (found.specificity, found.specificity_95),
    )
    return (
        READERS[found.read_by],
        f"{found.present}, {found.absent}",
        *(interval(share, *(bounds or (None, None))) for share, bounds in shares),
    )


def segmentation(results: Path) -> str:
    """Masks on real patients, as triage makes them."""
    found = [_read(results / "evaluation" / f"masks_{split}.json") for split in REAL_SPLITS]
    scores = [report["scores"] for report in found]
    splits = zip(found, REAL_SPLITS, strict=True)
    rows = [
        (
            "Dice per patient, mean (95 % interval)",
            *(interval(score["dice"]["mean"], *score["dice"]["interval"]) for score in scores),
        ),
        ("Dice per patient, worst", *(f"{score['dice']['smallest']:.3f}" for score in scores)),
        (
            "Volume error, median",
            *(f"{score['volume_error_percent']['median'] / 100:.1%}" for score in scores),
        ),
        (
            "False blood on blood-free slices, mean, mL",
            *(f"{score['false_ml']['mean']:.3f}" for score in scores),
        ),
    ]
    heads = (f"{report['patients']} {split} patients" for report, split in splits)
    return table(["Masks on real slices, derived reference without its faults", *heads], rows)


def classifier(results: Path) -> str:
    """Markers of resynthesised studies of held-out patients, in folds."""
    scored = _read(results / "folds" / "markers.json")["drawn"]
    studies = sum(scored[MARKERS[0].code]["studies"].values())
    columns = {
        "Sensitivity": ("sensitivity", ".2f"),
        "Specificity": ("specificity", ".2f"),
        "ECE, equal mass": ("ece_equal_mass", ".3f"),
        "ECE, equal width": ("ece_equal_width", ".3f"),
    }
    rows = []
    for marker in MARKERS:
        scores = scored[marker.code]
        auc = interval(scores["auc"]["value"], *scores["auc"]["interval"])
        rest = (format(scores[key]["value"], form) for key, form in columns.values())
        rows.append((marker.name_en, auc, *rest))
    heads = (
        "Markers of resynthesised haematomas of held-out patients",
        f"AUC of {studies} studies (95 % interval)",
    )
    return table([*heads, *columns], rows)


def read(results: Path) -> str:
    """Markers of read patients, each by networks that have not seen them."""
    report = _read(results / "folds" / "markers.json")
    scored, told = report["read"], report["call_now"]
    rows = []
    for marker in MARKERS:
        found = scored[marker.code]
        patients = found["patients"]
        kappas = (found[f"kappa_{name}"]["value"] for name in ("first", "second", "readings"))
        rows.append(
            (
                marker.name_en,
                f"{patients['present']}, {patients['absent']}, {patients['undecided']}",
                *(
                    interval(found[name]["value"], *found[name]["interval"])
                    if found[name]["value"] is not None
                    else ABSENT
                    for name in ("called", "sensitivity", "specificity", "auc")
                ),
                " / ".join(ABSENT if kappa is None else f"{kappa:.2f}" for kappa in kappas),
            )
        )
    heads = (
        "Markers, read by a vision model, not by a radiologist",
        "Patients with, without, unsure",
        "Called",
        "Sensitivity (95 % interval)",
        "Specificity (95 % interval)",
        "AUC (95 % interval)",
        "Kappa with the first reading / with the second / of the two",
    )
    urged = interval(told["value"], *told["interval"])
    return table(heads, rows) + (
        f"\n\nShare of these patients for whom the advice is to call now: {urged}."
    )


def signs(results: Path) -> str:
    """Rule-based signs on read patients, and on phantoms."""
    real, drawn = _read(results / "signs_real.json"), _read(results / "signs.json")
    phantoms = drawn["held_out_seed_d"]
    rows = []
    for code, rule in SIGNS.items():
        parts = [real[part].get(code) if real[part] else None for part in REAL_PARTS]
        cells = [_hits(part[key]) if part else ABSENT for part in parts for key in RATES]
        found = [phantoms[code].get(key) for key in RATES]
        if any(parts):
            rows.append(
                (rule.name_en, *cells, *(ABSENT if v is None else f"{v:.2f}" for v in found))
            )
    left_out, tested = (real[part] for part in REAL_PARTS)
    patients = [next(iter(part.values()))["patients"] if part else 0 for part in (left_out, tested)]
    return table(
        (
            "Signs, reference masks, read by a vision model, not by a radiologist",
            f"Sensitivity, {patients[0]} patients, one left out (95 % interval)",
            "Specificity",
            f"Sensitivity, {patients[1]} test patients",
            "Specificity",
            f"Sensitivity, {drawn['held_out_phantoms']} phantoms",
            "Specificity",
        ),
        rows,
    )


def expansion(results: Path) -> str:
    """Answers on expansion where the truth is known."""
    rows = [
        (
            f"{EXPANSION[code]}, {where}",
            found["clear_pairs"],
            *(
                f"{found[key]:.1%}"
                for key in ("right_by_point_estimate", "indeterminate", "right_among_decided")
            ),
        )
        for where, file in (("drawn heads", "growth"), ("real slices", "growth_inserted"))
        for code, found in _read(results / f"{file}.json")["definitions"].items()
    ]
    return table(
        (
            "Expansion of synthetic haematomas",
            "Pairs not within 5 points of the limit",
            "Right by the measured growth alone",
            "Answered indeterminate",
            "Right among yes and no",
        ),
        rows,
    )


def intervals(results: Path) -> str:
    """How often the intervals of volume and growth hold, and how wide they are."""
    report = _read(results / "intervals.json")
    rows: list[Sequence[str]] = []
    if volume := report.get("volume"):
        parts = {f"Volume, {name}": part for name, part in volume["parts"].items()}
        parts["Volume, whole folds left out"] = volume["folds_left_out"]
        if "check" in volume:
            parts["Volume, patients never fitted to"] = volume["check"]
        rows += [
            (name, str(part["rows"]), _coverage(part), _percent(part.get("median_width")))
            for name, part in parts.items()
        ]
    if growth := report.get("growth"):
        rows += [
            (f"Growth in {name}", f"{part['rows']} pairs", _coverage(part), f"± {_percent(half)}")
            for key, name in (("percent", "per cent"), ("ml", "mL"))
            for part in [growth[key]]
            for half in [part["median_half_width"]]
        ]
    heads = (
        "90 % intervals",
        "Patients",
        "Held (95 % interval)",
        "Width, median share of the volume",
    )
    return table(heads, rows)


def _coverage(part: Json) -> str:
    if part["value"] is None:
        return "not estimable"
    return interval(part["value"], *part["interval"])


def _percent(share: float | None) -> str:
    return "" if share is None else f"{share:.0%}"


def validation(results: Path) -> str:
    """What int8 costs in accuracy: the written programs beside the trained networks."""
    report = _read(results / "validation.json")
    rows = [
        (
            gate["gate"],
            "not estimable" if gate["value"] is None else f"{gate['value']:.4f}",
            f"{'at least' if gate['at_least'] else 'at most'} {gate['limit']:g}",
        )
        for gate in report["gates"]
    ]
    return table((f"Bundle, recipe `{report['recipe']}`", "Measured", "Gate"), rows)


def world(results: Path) -> str:
    """Awkward inputs, real files and studies with nothing wrong."""
    report = _read(results / "world.json")
    parts = (
        ("cases", world_report.kinds),
        ("files", world_report.files),
        ("quiet", world_report.quiet),
    )
    return "\n\n".join(write(report[name]) for name, write in parts if report.get(name))


def parity(results: Path) -> str:
    """Exported int8 graphs against the trained networks."""
    manifest = ModelManifest.load(app_models_folder())
    # Not the manifest's own: temperatures may have been fitted anew since the export.
    found = _read(results / "validation.json")["parity"]
    size = (manifest.segmenter.bytes + manifest.classifier.bytes) / 1e6
    return table(
        ("Export", f"int8 against float32, recipe `{manifest.recipe}`"),
        [
            ("Verified on", f"{found['slices']} slices: {found['source']}"),
            ("Mask Dice", f"{found['mask_dice']:.4f}"),
            ("Marker probability, 95th percentile of the difference", f"{found['marker_p95']:.4f}"),
            ("Marker probability, largest difference", f"{found['marker_max']:.4f}"),
            ("Size of both graphs", f"{size:.1f} MB"),
        ],
    )


def study(results: Path) -> Json:
    """A whole study in a fresh process; measured before `run` took this over, and kept."""
    report = _read(results / "study.json")
    median, machine = report["median"], report["provenance"]["machine"]
    head = (
        f"A study of {median['slices']:.0f} slices",
        f"{machine['processor']}, {report['threads']} threads",
    )
    rows = [
        ("Start-up", f"{median['start_up_seconds']:.1f} s"),
        ("DICOM to result", f"{median['study_seconds']:.2f} s"),
        ("Peak memory, torch included", f"{median['peak_mib']:.0f} MiB"),
    ]
    return {"table": table(head, rows), "made": report["provenance"]}


def app(results: Path) -> Json:
    """The app's limits, measured on the real app: a row for each verdict, and figures without a limit."""
    rows: list[Sequence[str]] = []
    for name in MEASUREMENTS:
        report = _read(results / "app" / f"{name}.json")
        load = f"{max(report['load_1min']):.1f}"
        rows += [(*_verdict(verdict), load) for verdict in report["verdicts"]]
        rows += [(claim, found, "", "", load) for claim, found in _beside(name, report["figures"])]
    return {
        "table": table(("Claim", "Measured", "Limit", "", "Machine's load"), rows),
        "report": _read(results / "app" / "frames.json"),
    }


def experiment(results: Path, name: str) -> Json:
    """One of the paper's experiments: tables and picture."""
    report = _read(results / "paper" / f"{name}.json")
    return {**experiment_facts(report), "heading": "####", "name": name}


def _verdict(verdict: Json) -> tuple[str, ...]:
    claim, unit = str(verdict["claim"]), f" {verdict['unit']}".rstrip()
    return (
        claim[0].upper() + claim[1:],
        f"{verdict['found']:.3g}{unit}",
        f"{verdict['limit']:.3g}{unit}",
        "pass" if verdict["passed"] else "**fail**",
    )


def _beside(name: str, figures: Json) -> list[tuple[str, str]]:
    """What belongs beside the verdicts of a measurement and has no limit."""
    if name == "study":
        first = figures["first start"]
        seconds = [f"{first[key]['median']:.2f} s" for key in ("loading", "self_test")]
        return [("Of the first start: loading, self-test", ", ".join(seconds))]
    if name == "frames":
        wall, own = figures["wall"], figures["processor"]
        count = f"99th percentile of {figures['frames']} frames: clock, thread's processor time"
        return [
            (count, f"{wall['p99']:.0f} ms, {own['p99']:.0f} ms"),
            ("Slowest frame by the thread's processor time", f"{own['largest']:.0f} ms"),
        ]
    if name == "memory":
        both = f"{figures['peak_with_runtime_mb']:.0f} MB ({figures['runtime_libraries_mb']:.0f})"
        return [("The same with the desktop runtime's libraries", both)]
    if name == "cancel":
        seconds = [f"{figures[key]['median']:.3f} s" for key in ("stopped", "slice")]
        return [("Touch on Cancel to stopped, a call: medians", ", ".join(seconds))]
    return []


def _hits(rate: Json) -> str:
    if rate["value"] is None:
        return "no case"
    low, high = rate["interval"]
    return f"{rate['hits']} of {rate['of']} ({low:.2f} to {high:.2f})"


def _read(path: Path) -> dict[str, Any]:
    values: dict[str, Any] = json.loads(path.read_text(encoding="utf-8"))
    return values
