"""Small stand-ins shared by the tests: heads, manifests, models. Nothing here imports torch."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray
from pydicom.dataset import Dataset, FileMetaDataset
from pydicom.uid import (
    UID,
    CTImageStorage,
    ExplicitVRBigEndian,
    ExplicitVRLittleEndian,
    ImplicitVRLittleEndian,
    generate_uid,
)

from hemx_core.data.study import Study
from hemx_core.errors import BackendError
from hemx_core.imaging.spec import PreprocessingSpec
from hemx_core.imaging.volume import HUVolume, SeriesIdentity
from hemx_core.intervals import GrowthInterval, VolumeInterval, Width
from hemx_core.manifest import MarkerSpec, ModelManifest, ProgramSpec, TensorSpec
from hemx_core.markers import MARKER_CODES, Aggregation, Evidence, ReadBy
from hemx_core.notes import Note
from hemx_core.report.page import Page
from hemx_core.runtime.program import PTE_MAGIC, check_inputs, checked_program

VOLUME_INTERVAL = VolumeInterval(
    coverage=0.9,
    floor_ml=0.5,
    one=Width(width=0.1, errors=50),
    several=Width(width=0.2, errors=20),
)
GROWTH_INTERVAL = GrowthInterval(
    coverage=0.9,
    ratio=Width(width=0.05, errors=40),
    ratio_floor_ml=0.5,
    ml=Width(width=0.02, errors=40),
    ml_floor_ml=0.5,
)
"""Made up; a growth is narrower than it is of any real networks."""
SHOWN = Evidence(
    read_by=ReadBy.VISION_MODEL,
    present=8,
    absent=51,
    sensitivity=0.75,
    specificity=0.902,
    sensitivity_95=(0.409, 0.9285),
    specificity_95=(0.7902, 0.9574),
)


def make_manifest(
    *,
    size: int = 256,
    crop_size: int = 128,
    thresholds: tuple[float, ...] = (0.5, 0.5, 0.5, 0.5),
    temperatures: tuple[float, ...] = (1.0, 1.0, 1.0, 1.0),
    aggregations: tuple[Aggregation, ...] = (Aggregation.MAX,) * 4,
    validated: tuple[bool, ...] = (True,) * 4,
    min_component_ml: float = 0.1,
    executorch: str = "0",
) -> ModelManifest:
    """A manifest of programs that do not exist, whose markers give advice."""

    def program(file: str, digit: str) -> ProgramSpec:
        return ProgramSpec(file, digit * 64, 0, (), ())

    return ModelManifest(
        recipe="fake",
        executorch=executorch,
        preprocessing=PreprocessingSpec(size=size),
        segmenter=program("segmenter.pte", "a"),
        classifier=program("classifier.pte", "b"),
        crop_size=crop_size,
        mask_threshold=0.5,
        min_component_ml=min_component_ml,
        volume_interval=VOLUME_INTERVAL,
        growth_interval=GROWTH_INTERVAL,
        markers=tuple(
            MarkerSpec(code, temperature, threshold, way, shown, SHOWN if shown else None)
            for code, temperature, threshold, way, shown in zip(
                MARKER_CODES, temperatures, thresholds, aggregations, validated, strict=True
            )
        ),
    )


def simple_head(
    *,
    slices: int = 6,
    matrix: int = 160,
    pixel_mm: float = 1.5,
    clot_mm: float = 0.0,
    clot_slices: tuple[int, ...] = (2, 3),
    identity: SeriesIdentity | None = None,
) -> HUVolume:
    """Elliptic heads of noisy brain in bone, 5 mm apart; a round clot of 65 HU, left of the middle.

    The clot's centre lies 30 mm to the right in the picture, its radius is `clot_mm`. On the first and
    the last slices the bone is thick: the brain ends there, so that the head is a whole one.
    """
    rng = np.random.default_rng(7)
    row, column = np.mgrid[:matrix, :matrix] * pixel_mm - (matrix - 1) / 2 * pixel_mm
    reach = np.hypot(row / 90, column / 70)
    hu = np.full((slices, matrix, matrix), -1000.0)
    hu[:, reach <= 1.0] = 40
    hu[:, reach <= 0.96] = 1200
    hu[:, reach <= 0.88] = 32
    if slices > 2:
        ends = [*range(max(1, slices // 8)), *range(-max(1, slices // 8), 0)]
        hu[ends] = np.where((reach > 0.58) & (reach <= 0.96), 1200, hu[ends])
    hu += rng.normal(0, 4, hu.shape)
    for index in clot_slices:
        hu[index][np.hypot(row, column - 30) <= clot_mm] = 65
    return HUVolume(hu, spacing_mm=(5.0, pixel_mm, pixel_mm), identity=identity)


def blank_page(**changes: Any) -> Page:
    """An A4 page without anything on it."""
    facts: dict[str, Any] = {
        "title": "T",
        "language": "en",
        "made_at": datetime(2026, 11, 24, 3, tzinfo=UTC),
    }
    return Page(**facts | changes)


class ThresholdModels:
    """Models for triage without a network: blood is what is brighter than 50 HU after smoothing.

    Logits are fixed; every map is the crop itself, coarse, so that it shines where the clot is.
    `crops` keeps what the classifier was given.
    """

    backend_name = "fake"
    backend_version = "1"
    notes: tuple[Note, ...] = ()
    slices_a_call = 1

    def __init__(
        self,
        manifest: ModelManifest | None = None,
        logits: tuple[float, ...] = (-2.0, -2.0, -2.0, -2.0),
    ) -> None:
        self.manifest = manifest or make_manifest()
        self.logits = np.array(logits, dtype=np.float32)
        self.crops: list[NDArray[np.float32]] = []

    def segment(
        self, image: NDArray[np.float32]
    ) -> tuple[NDArray[np.float32], NDArray[np.float32]]:
        """Probability of blood (S, S) and four features, the first one the mean of the image."""
        hu = cv2.GaussianBlur(image, (0, 0), 1.0) * 80
        probabilities = 1 / (1 + np.exp(-(hu - 50) / 2))
        return probabilities.astype(np.float32), np.full(4, image.mean(), dtype=np.float32)

    def segment_slices(
        self, images: Sequence[NDArray[np.float32]]
    ) -> list[tuple[NDArray[np.float32], NDArray[np.float32]]]:
        """`segment` of each; refuses more than a call takes, as programs do."""
        assert 1 <= len(images) <= self.slices_a_call
        return [self.segment(image) for image in images]

    def classify(
        self, crop: NDArray[np.float32], features: NDArray[np.float32]
    ) -> tuple[NDArray[np.float32], NDArray[np.float32]]:
        """The fixed logits and four maps (4, 8, 8)."""
        self.crops.append(crop)
        coarse = cv2.resize(crop, (8, 8), interpolation=cv2.INTER_AREA)
        return self.logits.copy(), np.stack([coarse - 0.5] * 4)

    def close(self) -> None:
        """Nothing to free."""

    def __enter__(self) -> ThresholdModels:
        """Itself, as a loaded bundle does."""
        return self

    def __exit__(self, *error: object) -> None:
        """Nothing to free."""


def ct_pixels(slices: int = 6, matrix: int = 16) -> NDArray[np.int16]:
    """HU of a small series, shape (slices, matrix, matrix): no two slices alike, corners air."""
    index, row, column = np.ogrid[:slices, :matrix, :matrix]
    hu = np.asarray(20 * index + 2 * row + column, dtype=np.int16)
    hu[:, [0, 0, -1, -1], [0, -1, 0, -1]] = -1000
    return hu


def write_ct_series(
    folder: Path,
    *,
    hu: NDArray[np.int16] | None = None,
    positions_mm: Sequence[Sequence[float]] | None = None,
    step_mm: float = 5.0,
    patient: str = "P1",
    study: str = "1",
    series: str = "1",
    slope: float = 1.0,
    intercept: float = -1024.0,
    signed: bool = False,
    shuffled: bool = True,
    syntax: UID = ExplicitVRLittleEndian,
    change: Callable[[int, Dataset], None] | None = None,
    **elements: object,
) -> list[Path]:
    """Write a small valid CT series, feet to head, one file a slice; returns them in slice order.

    Args:
        folder: made if missing.
        hu: HU, shape (slices, rows, columns); `ct_pixels()` by default.
        positions_mm: ImagePositionPatient of every slice; by default `step_mm` apart along z.
        patient: PatientID; it enters into the UIDs, as `study` and `series` do.
        study: tells studies of a patient apart.
        series: tells series of a study apart; a number, written as SeriesNumber.
        slope: RescaleSlope.
        intercept: RescaleIntercept.
        signed: stored values are signed.
        shuffled: file names and InstanceNumber run against the slice order.
        syntax: transfer syntax; for a compressed one `change` puts the pixel data.
        change: last word on every data set before it is written, given the slice index.
        **elements: DICOM keywords and values for all slices; None leaves the element out.
    """
    folder.mkdir(parents=True, exist_ok=True)
    hu = ct_pixels() if hu is None else hu
    if positions_mm is None:
        positions_mm = [(-100.0, -120.0, index * step_mm) for index in range(len(hu))]
    stored_type = np.int16 if signed else np.uint16
    paths = []
    for index, (slice_hu, position) in enumerate(zip(hu, positions_mm, strict=True)):
        number = len(hu) - index if shuffled else index + 1
        dataset = _ct_dataset(patient, study, series, index)
        dataset.InstanceNumber = number
        dataset.ImagePositionPatient = [float(value) for value in position]
        dataset.RescaleSlope, dataset.RescaleIntercept = slope, intercept
        stored = np.rint((slice_hu.astype(np.float64) - intercept) / slope).astype(stored_type)
        dataset.Rows, dataset.Columns = stored.shape
        dataset.PixelRepresentation = int(signed)
        order = ">" if syntax == ExplicitVRBigEndian else "<"
        dataset.PixelData = stored.astype(stored.dtype.newbyteorder(order)).tobytes()
        for keyword, value in elements.items():
            if value is None:
                delattr(dataset, keyword)
            else:
                setattr(dataset, keyword, value)
        if change is not None:
            change(index, dataset)
        dataset.file_meta.TransferSyntaxUID = syntax
        paths.append(folder / f"{series}_{number:03d}")
        dataset.save_as(
            paths[-1],
            enforce_file_format=True,
            implicit_vr=syntax == ImplicitVRLittleEndian,
            little_endian=syntax != ExplicitVRBigEndian,
        )
    return paths


def _ct_dataset(patient: str, study: str, series: str, index: int) -> Dataset:
    dataset = Dataset()
    dataset.file_meta = FileMetaDataset()
    dataset.SOPClassUID = CTImageStorage
    dataset.SOPInstanceUID = generate_uid(entropy_srcs=[patient, study, series, str(index)])
    dataset.SeriesInstanceUID = generate_uid(entropy_srcs=[patient, study, series])
    dataset.StudyInstanceUID = generate_uid(entropy_srcs=[patient, study])
    dataset.FrameOfReferenceUID = generate_uid(entropy_srcs=[patient, study, "frame"])
    dataset.PatientID, dataset.PatientName = patient, "Test^Case"
    dataset.Modality, dataset.ImageType = "CT", ["ORIGINAL", "PRIMARY", "AXIAL"]
    dataset.SeriesNumber, dataset.SeriesDescription = series, "Head 5 mm"
    dataset.StudyDate, dataset.StudyTime = "20260102", "030405"
    dataset.Manufacturer, dataset.ManufacturerModelName = "ACME", "One"
    dataset.InstitutionName, dataset.PatientPosition = "Site A", "HFS"
    dataset.ImageOrientationPatient = [1, 0, 0, 0, 1, 0]
    dataset.PixelSpacing, dataset.SliceThickness = [0.5, 0.4], 5.0
    dataset.SamplesPerPixel, dataset.PhotometricInterpretation = 1, "MONOCHROME2"
    dataset.BitsAllocated, dataset.BitsStored, dataset.HighBit = 16, 16, 15
    return dataset


Call = Callable[[Sequence[NDArray[Any]]], tuple[NDArray[Any], ...]]


class FakeBackend:
    """A runtime in memory: a program's file says nothing, its name picks a function.

    Args:
        functions: file name to the function that takes and returns a program's arrays; by default
            those of `ThresholdModels`, which find what is brighter than 50 HU.
        version: must be the manifest's `executorch` for `load_models`.
    """

    name = "fake"

    def __init__(self, functions: Mapping[str, Call] | None = None, *, version: str = "0") -> None:
        self.functions = dict(functions or threshold_functions())
        self.version = version
        self.opened: list[FakeProgram] = []

    def open(self, path: Path, spec: ProgramSpec) -> FakeProgram:
        """Check the file as every backend must, and bind the function of its name."""
        with checked_program(path, spec):
            pass
        program = FakeProgram(spec, self.functions[spec.file])
        self.opened.append(program)
        return program


class FakeProgram:
    """A function behind the `Program` contract."""

    def __init__(self, spec: ProgramSpec, function: Call) -> None:
        self.spec = spec
        self.closed = False
        self._function = function

    def __call__(self, inputs: Sequence[NDArray[Any]]) -> tuple[NDArray[Any], ...]:
        """Run the function on checked inputs; the outputs are copies."""
        if self.closed:
            raise BackendError(f"{self.spec.file} is closed")
        check_inputs(inputs, self.spec.inputs)
        dense = [np.array(array, order="C") for array in inputs]
        return tuple(np.array(output, order="C") for output in self._function(dense))

    def close(self) -> None:
        """Mark it closed."""
        self.closed = True


def threshold_functions() -> dict[str, Call]:
    """`ThresholdModels` as programs, with the batch and channel axes that programs have."""
    models = ThresholdModels()

    def segment(inputs: Sequence[NDArray[Any]]) -> tuple[NDArray[Any], ...]:
        answers = [models.segment(one[0]) for one in inputs[0]]
        return np.stack([one[0] for one in answers])[:, None], np.stack([one[1] for one in answers])

    def classify(inputs: Sequence[NDArray[Any]]) -> tuple[NDArray[Any], ...]:
        logits, cam = models.classify(inputs[0][0, 0], inputs[1][0])
        # Depends on both inputs, so that a test notices when one of them is lost.
        return (logits + inputs[0].mean() + inputs[1].mean())[None], cam[None]

    return {"segmenter.pte": segment, "classifier.pte": classify}


def write_fake_program(
    path: Path, inputs: tuple[TensorSpec, ...], outputs: tuple[TensorSpec, ...]
) -> ProgramSpec:
    """A file with a program's magic and nothing else, and its true specification."""
    content = b"\0\0\0\0" + PTE_MAGIC + path.name.encode() * 20
    path.write_bytes(content)
    digest = hashlib.sha256(content).hexdigest()
    return ProgramSpec(path.name, digest, len(content), inputs, outputs)


def write_fake_bundle(
    folder: Path, *, size: int = 256, crop_size: int = 128, slices_a_call: int = 1
) -> ModelManifest:
    """A signed bundle whose programs only `FakeBackend` can open: `load_models(folder, FakeBackend())`.

    The key is the local one of the tests' own configuration folder (tests/conftest.py).
    """
    from export.sign import sign_bundle

    folder.mkdir(parents=True, exist_ok=True)
    axes = "batch, channel, row, column"
    image = TensorSpec("image", (slices_a_call, 1, size, size), "float32", axes)
    crop = TensorSpec("crop", (1, 1, crop_size, crop_size), "float32", axes)
    features = TensorSpec("features", (1, 4), "float32", "batch, channel")
    logits = TensorSpec("logits", (1, 4), "float32", "batch, marker")
    cam = TensorSpec("cam", (1, 4, 8, 8), "float32", "batch, marker, row, column")
    probabilities = replace(image, name="probabilities")
    pooled = replace(features, shape=(slices_a_call, 4))
    manifest = replace(
        make_manifest(size=size, crop_size=crop_size),
        segmenter=write_fake_program(folder / "segmenter.pte", (image,), (probabilities, pooled)),
        classifier=write_fake_program(folder / "classifier.pte", (crop, features), (logits, cam)),
    )
    manifest.save(folder)
    sign_bundle(folder)
    return manifest


def write_tested_bundle(
    folder: Path, *, size: int = 64, crop_size: int = 32, slices_a_call: int = 1
) -> ModelManifest:
    """A fake bundle with references: what `threshold_functions` make of a disc of clot and of plain brain."""
    from export.sign import sign_bundle
    from hemx_core.bundle.load import load_models
    from hemx_core.bundle.self_test import REFERENCE_NAME, record_references
    from hemx_core.manifest import FileSpec

    manifest = write_fake_bundle(
        folder, size=size, crop_size=crop_size, slices_a_call=slices_a_call
    )
    brain = np.full((size, size), 0.4, np.float32)
    clot = cv2.circle(brain.copy(), (size // 2, size // 2), size // 5, 0.8, -1)
    with load_models(folder, FakeBackend()) as models:
        content = record_references(models, [clot, brain]).to_bytes()
    (folder / REFERENCE_NAME).write_bytes(content)
    digest = hashlib.sha256(content).hexdigest()
    manifest = replace(manifest, reference=FileSpec(REFERENCE_NAME, digest, len(content)))
    manifest.save(folder)
    sign_bundle(folder)
    return manifest


def wrong_functions(*, segment: float = 0.0, classify: float = 0.0) -> dict[str, Call]:
    """`threshold_functions` as a broken kernel would compute them: all probabilities and logits moved."""
    right = threshold_functions()

    def moved_segment(inputs: Sequence[NDArray[Any]]) -> tuple[NDArray[Any], ...]:
        probabilities, features = right["segmenter.pte"](inputs)
        return np.clip(probabilities + np.float32(segment), 0, 1), features

    def moved_classify(inputs: Sequence[NDArray[Any]]) -> tuple[NDArray[Any], ...]:
        logits, cam = right["classifier.pte"](inputs)
        return logits + np.float32(classify), cam

    return {"segmenter.pte": moved_segment, "classifier.pte": moved_classify}


def write_phe_sich(folder: Path, *, patients: int) -> Path:
    """Patients of three slices in the layout of phe_sich; patient 0000 has no blood."""
    for name in ("images", "haematoma", "unsure"):
        (folder / name).mkdir(parents=True)
    lines = ["patient,slice,window_level,window_width,boxed,haematoma_px,oedema_px,unsure_px"]
    for number in range(patients):
        for index in (2, 0, 1):
            pixels = number * 10 if index == 1 else 0
            lines.append(f"{number:04d},{index},40,120,0,{pixels},0,0")
            image = np.zeros((512, 512), np.uint8)
            cv2.ellipse(image, ((256, 256), (300, 360), 0), 255, -1)
            cv2.ellipse(image, ((256, 256), (270, 330), 0), 117, -1)
            if pixels:
                mask = np.zeros_like(image)
                cv2.circle(mask, (220, 220), 22, 255, -1)
                image[mask > 0] = 180
                cv2.imwrite(str(folder / "haematoma" / f"{number:04d}_{index:02d}.png"), mask)
            cv2.imwrite(str(folder / "images" / f"{number:04d}_{index:02d}.png"), image)
    (folder / "slices.csv").write_text("\n".join(lines) + "\n")
    return folder


def make_study(
    *,
    patient_id: str = "P1",
    slices: int = 2,
    size: int = 32,
    site: str = "site-01",
    location: str = "putamen",
    markers: Sequence[Sequence[int]] | None = None,
    expanded: int = -1,
    seed: int = 0,
) -> Study:
    """A study of noise with a bright square of blood on every slice."""
    rng = np.random.default_rng(seed)
    mask = np.zeros((slices, size, size), bool)
    mask[:, size // 4 : size // 2, size // 4 : size // 2] = True
    grey = rng.integers(60, 110, mask.shape) + 100 * mask
    labels = np.array(markers if markers is not None else [[0, 0, 0, 0]] * slices, np.int8)
    return Study(
        patient_id=patient_id,
        site=site,
        location=location,
        image=(grey / np.float32(255)).astype(np.float16),
        mask=mask,
        known=np.ones_like(mask),
        slice_markers=labels,
        patient_markers=labels.max(0),
        expanded=expanded,
        slice_index=np.arange(slices, dtype=np.int16),
        haematoma_volume_ml=10.0,
    )
