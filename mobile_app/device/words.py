"""What the device screen says, as words and rows, in both languages; no Kivy."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

from hemx_core.device.budget import Budget, Verdict, judge, passes
from hemx_core.errors import BenchmarkError
from mobile_app.i18n import UNKNOWN, date_time, number, text

if TYPE_CHECKING:
    from hemx_core.bundle.load import VerifiedBundle
    from mobile_app.work.self_test import KnownSelfTest

Row = tuple[str, ...]

STAGES = (
    "load",
    "self_test",
    "read",
    "prepare",
    "segment",
    "measure",
    "signs",
    "classify",
    "study",
)
DIGITS = {"mask": 4, "probability": 5, "features": 3, "marker": 3, "logits": 2, "cams": 3}


@dataclass(frozen=True, slots=True)
class Told:
    """A state in words, its tone ("good", "alarm" or "caution"), a sentence more, and rows of figures."""

    state: str
    tone: str
    more: str = ""
    rows: tuple[Row, ...] = ()


def self_test_told(language: str, known: KnownSelfTest | None) -> Told:
    """What is known of the self-test."""
    if known is None:
        return Told(
            text(language, "device.test.none"), "caution", text(language, "device.test.none_more")
        )
    when = date_time(language, known.at)
    if not known.report.tested:
        return Told(
            text(language, "device.test.untested"),
            "caution",
            text(language, "device.test.untested_more"),
        )
    passed = known.report.passed
    key = "device.test.passed" if passed else "device.test.failed"
    more = text(language, f"{key}_more", when=when, slices=known.report.slices)
    rows = [tuple(text(language, f"device.test.{name}") for name in ("what", "found", "most"))]
    for method in known.report.methods:
        for measure in method.measures:
            digits = DIGITS.get(measure.name, 4)
            mark = "" if measure.passed else f" {text(language, 'device.too_much')}"
            rows.append(
                (
                    text(language, f"device.measure.{measure.name}"),
                    number(language, measure.difference, digits) + mark,
                    number(language, measure.tolerance, digits),
                )
            )
        speed = f"{number(language, method.milliseconds, 1)} ms"
        rows.append((text(language, f"device.method.{method.method}"), speed, ""))
    return Told(text(language, key), "good" if passed else "alarm", more, tuple(rows))


def benchmark_told(language: str, record: Mapping[str, Any] | None, budget: Budget) -> Told:
    """The verdict of a record for a device class, line by line."""
    if record is None:
        return Told(text(language, "device.bench.none"), "caution")
    try:
        verdicts = judge(record, budget)
    except BenchmarkError:
        return Told(text(language, "device.bench.other"), "caution")
    passed = passes(verdicts)
    name = text(language, f"device.class.{budget.device_class}")
    key = "device.bench.passed" if passed else "device.bench.failed"
    header = tuple(
        text(language, f"device.bench.{column}") for column in ("what", "found", "most", "is")
    )
    rows = (header, *(_verdict_row(language, verdict) for verdict in verdicts))
    more = text(language, "device.bench.made", when=_when(language, record), runs=record["runs"])
    return Told(text(language, key, name=name), "good" if passed else "alarm", more, rows)


def stage_rows(language: str, record: Mapping[str, Any]) -> tuple[Row, ...]:
    """First, median and 95th percentile of every stage, in milliseconds."""
    header = tuple(
        text(language, f"device.bench.{column}") for column in ("stage", "first", "median", "p95")
    )
    timings = record["timings"]
    return (
        header,
        *(
            (
                text(language, f"device.stage.{name}"),
                *(
                    number(language, timings[name][key], 1)
                    for key in ("first_ms", "median_ms", "p95_ms")
                ),
            )
            for name in STAGES
            if name in timings
        ),
    )


def device_rows(language: str, record: Mapping[str, Any]) -> tuple[Row, ...]:
    """On what the record was made."""
    device, runtime = record["device"], record["runtime"]
    threads = UNKNOWN if runtime["threads"] is None else str(runtime["threads"])
    return (
        (text(language, "device.bench.device"), str(device["name"])),
        (text(language, "device.bench.system"), f"{device['system']} {device['release']}"),
        (text(language, "device.bench.runtime"), f"{runtime['backend']} {runtime['version']}"),
        (text(language, "device.bench.threads"), threads),
        (text(language, "device.bench.fingerprint"), str(record["fingerprint"])),
    )


def bundle_rows(language: str, bundle: VerifiedBundle) -> tuple[Row, ...]:
    """What the manifest says of the models, and who signed it."""
    manifest, signer = bundle.manifest, bundle.signed_by
    if signer is None:
        signed = text(language, "device.models.unsigned")
    else:
        kind = "release" if signer.release else "local"
        signed = text(language, f"device.models.{kind}", name=signer.name, id=signer.key_id)
    parts = [part for part in manifest.training.values() if isinstance(part, Mapping)]
    licences = dict.fromkeys(str(part["licence"]) for part in parts if part.get("licence"))
    rows = (
        ("recipe", manifest.recipe),
        ("version", f"HEMX {manifest.hemx}, ExecuTorch {manifest.executorch}"),
        ("schema", str(manifest.schema_version)),
        ("size", f"{number(language, sum(file.bytes for file in manifest.files) / 2**20, 1)} MiB"),
        ("signed", signed),
        ("licence", ", ".join(licences) or UNKNOWN),
        ("data", "\n".join(dict.fromkeys(_data(part) for part in parts)) or UNKNOWN),
    )
    return tuple((text(language, f"device.models.{name}"), told) for name, told in rows)


def licence_list(path: Path) -> list[dict[str, str]]:
    """The parts of the app with their licences; empty where the asset is not readable."""
    try:
        found: list[dict[str, str]] = json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return []
    return found


def _verdict_row(language: str, verdict: Verdict) -> Row:
    digits = 1 if verdict.unit == "s" else 0
    found = UNKNOWN
    if verdict.found is not None:
        found = f"{number(language, verdict.found, digits)} {verdict.unit}"
    return (
        text(language, f"device.line.{verdict.line}"),
        found,
        f"{number(language, verdict.limit, digits)} {verdict.unit}",
        text(language, "device.within" if verdict.passed else "device.too_much"),
    )


def _when(language: str, record: Mapping[str, Any]) -> str:
    try:
        return date_time(language, datetime.fromisoformat(record["created_at"]))
    except (KeyError, TypeError, ValueError):
        return UNKNOWN


def _data(part: Mapping[str, Any]) -> str:
    """The data of one network, as the manifest has it, without its nested tables."""
    data = part.get("data") or {}
    if not isinstance(data, Mapping):
        return str(data)
    return ", ".join(
        f"{name.replace('_', ' ')}: {value}"
        for name, value in data.items()
        if not isinstance(value, Mapping | list)
    )
