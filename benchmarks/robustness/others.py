"""Inputs that are no studies: sound ones, and what comes of damaged ones."""

from __future__ import annotations

import hashlib
import warnings
from collections.abc import Mapping
from dataclasses import replace
from functools import cache
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from pydicom.dataset import Dataset

from benchmarks.robustness import material
from benchmarks.robustness.outcome import Answer, Outcome
from hemx_core.bundle.load import app_models_folder, verify_bundle
from hemx_core.bundle.signature import SIGNATURE_NAME, TrustedKey
from hemx_core.data import nifti
from hemx_core.data.seg import read_seg
from hemx_core.data.tables import read_tables
from hemx_core.errors import HemxError
from hemx_core.imaging.nifti import write_array
from hemx_core.imaging.reader import read_series
from hemx_core.imaging.volume import HUVolume
from hemx_core.manifest import FileSpec, ModelManifest
from hemx_core.runtime.program import PTE_MAGIC, checked_program

RIGHT: Answer = (Outcome.RIGHT, "")
Found = tuple[Answer, Any]
"""What came of it, and the answer to the sound input, which is given back with the damaged ones."""


def write_nifti(folder: Path) -> None:
    """A CT as NIfTI, plain and packed."""
    volume = _volume()
    folder.mkdir(parents=True)
    for name in ("ct.nii", "ct.nii.gz"):
        write_array(folder / name, volume.hu, volume.geometry)


@cache
def _volume() -> HUVolume:
    hu = material.stored_values().astype(np.int16) + material.INTERCEPT
    return HUVolume(hu, spacing_mm=(material.STEP_MM, 0.5, 0.4))


def look_at_nifti(folder: Path, right: Any) -> Found:
    """Both files, each as before or as nibabel reads it."""
    found = {}
    for name in ("ct.nii", "ct.nii.gz"):
        try:
            found[name] = nifti.read_volume(folder / name)
        except HemxError as error:
            return (Outcome.TYPED, type(error).__name__), right
    for name, volume in found.items():
        if right is not None and _equal(volume, right[name]):
            continue
        if not _as_nibabel(volume, folder / name):
            return (Outcome.SILENT, f"{name} is as nothing says it is"), right
    return RIGHT, found


def _equal(one: HUVolume, other: HUVolume) -> bool:
    same = one.hu.shape == other.hu.shape and bool(np.array_equal(one.hu, other.hu))
    places = one.geometry.positions_mm, other.geometry.positions_mm
    steps = one.geometry.pixel_spacing_mm, other.geometry.pixel_spacing_mm
    return same and np.allclose(*places, atol=1e-3) and np.allclose(*steps, rtol=1e-6)


def _as_nibabel(volume: HUVolume, path: Path) -> bool:
    """Whether corners and values are those that nibabel's affine and data say."""
    import nibabel

    with warnings.catch_warnings(action="ignore"):
        image: Any = nibabel.as_closest_canonical(nibabel.load(path))
        values = np.asanyarray(image.dataobj)
    values = values.reshape(values.shape[:3])
    # Right, front, head against left, back, head.
    stacked = values[::-1, ::-1].transpose(2, 1, 0)
    if stacked.shape != volume.hu.shape:
        return False
    corner = image.affine @ [values.shape[0] - 1, values.shape[1] - 1, 0, 1]
    place = corner[:3] * [-1, -1, 1]
    near = bool(np.allclose(volume.geometry.positions_mm[0], place, atol=1e-2, rtol=1e-5))
    return near and bool(np.array_equal(volume.hu, np.rint(stacked.astype(np.float64))))


def write_seg(folder: Path) -> None:
    """A CT, and a segmentation of a few of its pixels."""
    import highdicom as hd
    from pydicom.sr.codedict import codes
    from pydicom.uid import generate_uid

    material.write_series(folder / "ct")
    images = material.datasets("plain")
    mask = np.zeros((material.SLICES, material.MATRIX, material.MATRIX), np.uint8)
    mask[2:5, 4:9, 3:11] = 1
    segment = hd.seg.SegmentDescription(
        segment_number=1,
        segment_label="clot",
        segmented_property_category=codes.SCT.MorphologicallyAbnormalStructure,
        segmented_property_type=codes.SCT.Hemorrhage,
        algorithm_type=hd.seg.SegmentAlgorithmTypeValues.MANUAL,
    )
    for kind in ("BINARY", "LABELMAP"):
        hd.seg.Segmentation(
            source_images=images,
            pixel_array=mask,
            segmentation_type=hd.seg.SegmentationTypeValues[kind],
            segment_descriptions=[segment],
            series_instance_uid=generate_uid(entropy_srcs=["seg", kind]),
            series_number=9,
            sop_instance_uid=generate_uid(entropy_srcs=["seg", kind, "1"]),
            instance_number=1,
            manufacturer="hemx",
            manufacturer_model_name="robustness",
            software_versions="1",
            device_serial_number="1",
        ).save_as(folder / f"{kind.lower()}.dcm")


def look_at_seg(folder: Path, right: Any) -> Found:
    """Both masks are the one that was drawn, or what pydicom reads of the frames."""
    if right is None:
        volume = read_series(folder / "ct")
        drawn = read_seg(folder / "binary.dcm", volume)
        right = volume, drawn
    volume, drawn = right
    for name in ("binary.dcm", "labelmap.dcm"):
        try:
            found = read_seg(folder / name, volume)
        except HemxError as error:
            return (Outcome.TYPED, type(error).__name__), right
        if not np.array_equal(found, drawn) and not _as_frames(found, folder / name, volume):
            return (Outcome.SILENT, f"{name} is as nothing says it is"), right
    return RIGHT, right


def _as_frames(found: NDArray[np.bool_], path: Path, volume: HUVolume) -> bool:
    """Whether a mask is that of the file's frames, each put where it says that it lies."""
    import pydicom

    with warnings.catch_warnings(action="ignore"):
        seg = pydicom.dcmread(path, force=True)
        pixels = seg.pixel_array
        pixels = pixels if pixels.ndim == 3 else pixels[None]
    mask = np.zeros_like(found)
    for drawn, frame in zip(pixels, seg.PerFrameFunctionalGroupsSequence, strict=True):
        if (drawn == 1).any():
            mask[_slice_of(frame, volume)] |= volume.stored_grid.to_volume(drawn == 1)
    return bool(np.array_equal(mask, found))


def _slice_of(frame: Dataset, volume: HUVolume) -> int:
    """The slice at a frame's position; a frame that lost it may still name the image it was drawn on."""
    if place := frame.get("PlanePositionSequence"):
        away = np.abs(volume.geometry.positions_mm[:, 2] - float(place[0].ImagePositionPatient[2]))
        return int(np.argmin(away))
    source = frame.DerivationImageSequence[0].SourceImageSequence[0]
    return volume.identity.sop_instance_uids.index(source.ReferencedSOPInstanceUID)


_TABLES = {
    "dataset.json": '{"format": "hemx-dataset/1", "name": "small", "licence": "none", "version": "1",'
    ' "attribution": "none"}\n',
    "patients.csv": "patient,split,site,location,expanded\nA,train,east,putamen,1\n"
    "B,validation,west,unknown,0\nC,test,,thalamus,unknown\n",
    "studies.csv": "study,patient,ct,mask,window_lower,window_upper\na,A,a.nii,a_mask.nii,0,80\n"
    "b,B,b.nii,b_mask.nii,10,90\nc,C,c.nii,c_mask.nii,,\n",
    "slice_markers.csv": "study,slice,hypodensity,irregular,blend,fluid_level\na,3,1,0,unknown,0\n",
    "patient_markers.csv": "patient,hypodensity,irregular,blend,fluid_level\nA,1,0,,0\nB,0,0,0,0\n",
}


def write_tables(folder: Path) -> None:
    """A data set's tables; the images are empty files."""
    folder.mkdir(parents=True)
    for name, text in _TABLES.items():
        (folder / name).write_text(text, encoding="utf-8")
    for letter in "abc":
        for name in (f"{letter}.nii", f"{letter}_mask.nii"):
            (folder / name).touch()


def look_at_tables(folder: Path, right: Any) -> Found:
    """Every bad cell is a finding; what is read without one is what the text says."""
    tables = read_tables(folder)
    if tables.findings.errors:
        return (Outcome.TYPED, "findings"), right
    return RIGHT, right or tables


def _key() -> Any:
    from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

    from export.sign import SigningKey

    return SigningKey(private=Ed25519PrivateKey.from_private_bytes(bytes(range(32))))


@cache
def trusted() -> TrustedKey:
    """The key that signs the bundles of this benchmark."""
    return TrustedKey(public_key=_key().public_key, name="robustness")


@cache
def shipped() -> ModelManifest:
    """The shipped manifest; its programs are hashed once."""
    return ModelManifest.load(app_models_folder())


def write_bundle(folder: Path) -> None:
    """The shipped manifest over programs that are none, signed with a key of its own."""
    from export.sign import sign_bundle

    folder.mkdir(parents=True)
    manifest = shipped()
    changed: dict[str, Any] = {}
    for name in ("segmenter", "classifier"):
        content = b"\0\0\0\0" + PTE_MAGIC + name.encode() * 50
        spec = getattr(manifest, name)
        (folder / spec.file).write_bytes(content)
        changed[name] = replace(
            spec, sha256=hashlib.sha256(content).hexdigest(), bytes=len(content)
        )
    if manifest.reference is not None:
        content = b"reference" * 20
        (folder / manifest.reference.file).write_bytes(content)
        changed["reference"] = FileSpec(
            manifest.reference.file, hashlib.sha256(content).hexdigest(), len(content)
        )
    replace(manifest, **changed).save(folder)
    sign_bundle(folder, _key())


def look_at_bundle(folder: Path, right: Any) -> Found:
    """Nothing that differs by a bit passes; up to the hash, for a damaged program is never opened.

    Where unsigned bundles are allowed, a changed manifest may pass, but not end in an untyped error.
    """
    now = _digests(folder)
    if right is None:
        right = now
    signature = folder / SIGNATURE_NAME
    content = signature.read_bytes()
    try:
        verified = verify_bundle(folder, keys=[trusted()])
        for spec in (verified.manifest.segmenter, verified.manifest.classifier):
            with checked_program(folder / spec.file, spec):
                pass
    except HemxError as error:
        answer: Answer = (Outcome.TYPED, error.code)
    else:
        answer = RIGHT if now == right else (Outcome.SILENT, "a changed bundle passes")
    signature.unlink()
    try:
        verify_bundle(folder, allow_unsigned=True)
    except HemxError:
        pass
    finally:
        signature.write_bytes(content)
    return answer, right


def _digests(folder: Path) -> Mapping[str, str]:
    files = sorted(folder.iterdir())
    return {path.name: hashlib.sha256(path.read_bytes()).hexdigest() for path in files}
