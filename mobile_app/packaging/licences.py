"""The licences of everything that ships in the app, from the metadata of the installed packages.

    python -m mobile_app.packaging.licences

writes mobile_app/assets/licences.json, which the device screen shows. Run it again when a requirement of the
build file changes; a test notices.
"""

from __future__ import annotations

import json
import platform
import sys
import sysconfig
from dataclasses import asdict, dataclass
from importlib import metadata
from pathlib import Path

from hemx_core.errors import HemxError
from hemx_core.files import write_whole
from mobile_app.packaging import PackagingError
from mobile_app.packaging.stage import ROOT, read_spec

LICENCES = ROOT / "mobile_app" / "assets" / "licences.json"

DISTRIBUTIONS = {
    "kivy": "kivy",
    "numpy": "numpy",
    "opencv": "opencv-python-headless",
    "pillow": "pillow",
    "pydicom": "pydicom",
    "fpdf2": "fpdf2",
    "fonttools": "fonttools",
    "defusedxml": "defusedxml",
    "cattrs": "cattrs",
    "attrs": "attrs",
    "typing_extensions": "typing_extensions",
    "pyjnius": "pyjnius",
    "android": "python-for-android",
    "executorch": "executorch",
    "filetype": "filetype",
}
"""Requirement of the build file, or what comes with one, to the installed package that has its licence."""

GPL = Path(__file__).with_name("GPL-3.0.txt")
"""Of fpdf2: its licence, the LGPL, adds to this one and asks for both texts (LGPL 3, 4b)."""

WEIGHTS = "weights"
WEIGHTS_LICENCE = "research use, non-commercial"


@dataclass(frozen=True, slots=True)
class Licence:
    """One part of the app.

    Args:
        part: a requirement of the build file, or a part of the app.
        name: as people know it.
        version: of which the licence was read; the tablet may have another one of the same licence.
        licence: its short name.
        text: in full.
    """

    part: str
    name: str
    version: str
    licence: str
    text: str


def collect(root: Path = ROOT) -> list[Licence]:
    """Every part of the app with its licence.

    Raises:
        PackagingError: a package is not installed or has no licence file, or the build file requires
            something that is not in `DISTRIBUTIONS`.
    """
    unknown = required() - set(DISTRIBUTIONS) - {"python3"}
    if unknown:
        raise PackagingError(
            f"requirements without a known licence: {', '.join(sorted(unknown))}",
            expected="an entry in DISTRIBUTIONS",
            remedy="add it, and run this again",
        )
    return [*_own(root), _python(), *(_package(part) for part in DISTRIBUTIONS)]


def required() -> set[str]:
    """What the build file asks python-for-android for, without versions."""
    return {name.partition("==")[0] for name in read_spec()["requirements"].split(",")}


def to_json(licences: list[Licence]) -> str:
    """The asset's text."""
    return (
        json.dumps([asdict(licence) for licence in licences], indent=1, ensure_ascii=False) + "\n"
    )


def main() -> None:
    """Write the asset."""
    licences = collect()
    write_whole(LICENCES, to_json(licences))
    print(f"{len(licences)} licences: {LICENCES.relative_to(ROOT)}")


def _own(root: Path) -> list[Licence]:
    models = json.loads((root / "hemx_core/assets/models/manifest.json").read_text("utf-8"))
    card = (root / "hemx_core/weights/MODEL_CARD.md").read_text("utf-8")
    training = {
        name: {"licence": part.get("licence"), "data": part.get("data")}
        for name, part in models["training"].items()
    }
    if WEIGHTS_LICENCE not in json.dumps(training) or "non-commercial" not in card:
        raise PackagingError(
            "models whose licence is not the known one",
            expected=WEIGHTS_LICENCE,
            remedy="correct this script and the model card together",
        )
    version = metadata.version("hemx")
    fonts = root / "hemx_core/assets/fonts"
    font, letters = ((fonts / name).read_text("utf-8") for name in ("OFL.txt", "DejaVu.txt"))
    code = (root / "LICENSE").read_text("utf-8")
    said = json.dumps(training, indent=1, ensure_ascii=False)
    return [
        Licence("hemx", "HEMX", version, "Apache-2.0", code),
        Licence(WEIGHTS, "HEMX models", version, WEIGHTS_LICENCE, said),
        Licence("font", "BIZ UDPGothic", "", "OFL-1.1", font),
        Licence("letters", "DejaVu Sans (part)", "2.37", "Bitstream-Vera", letters),
    ]


def _python() -> Licence:
    path = Path(sysconfig.get_path("stdlib")) / "LICENSE.txt"
    if not path.is_file():
        raise PackagingError(
            "no licence file of Python",
            expected=f"LICENSE.txt in the standard library of {sys.executable}",
            remedy="run this with a Python that brings it",
        )
    text = path.read_text("utf-8", errors="replace")
    return Licence("python3", "Python", platform.python_version(), "PSF-2.0", text)


def _package(part: str) -> Licence:
    name = DISTRIBUTIONS[part]
    try:
        found = metadata.distribution(name)
    except metadata.PackageNotFoundError as error:
        raise PackagingError(
            f"{name} is not installed",
            expected="every package whose licence ships",
            remedy='pip install "hemx[dev]"',
        ) from error
    texts = [
        Path(str(found.locate_file(file))).read_text("utf-8", errors="replace")
        for file in sorted(found.files or (), key=str)
        if ".dist-info" in str(file) and "LICEN" in str(file).upper()
    ]
    if part == "fpdf2":
        texts.append(GPL.read_text("utf-8"))
    if not texts:
        raise PackagingError(
            f"{name} {found.version} has no licence file",
            expected="a LICENSE in its metadata",
            remedy="add its text by hand",
        )
    return Licence(part, found.metadata["Name"], found.version, _short(found), "\n".join(texts))


def _short(found: metadata.Distribution) -> str:
    """The licence's short name: the expression, else the classifier, else the old field."""
    if expression := _field(found, "License-Expression"):
        return expression
    classifiers = found.metadata.get_all("Classifier") or []
    named = [
        classifier.rpartition(" :: ")[2]
        for classifier in classifiers
        if classifier.startswith("License ::")
    ]
    return named[0] if named else _field(found, "License")


def _field(found: metadata.Distribution, name: str) -> str:
    """A field of the package's metadata, "" where it has none."""
    return str(found.metadata[name]) if name in found.metadata else ""


if __name__ == "__main__":
    try:
        main()
    except HemxError as error:
        sys.exit(f"licences: {error}")
