"""What a fold's networks say of the patients and studies that were held out."""

from __future__ import annotations

import io
from collections.abc import Sequence
from itertools import islice
from pathlib import Path

import numpy as np
import torch
from numpy.typing import NDArray

from benchmarks.folds.recipe import CLASSIFIER, SEGMENTER, Arm, Place
from benchmarks.folds.train import classifier, lesions
from hemx_core.data import phe_sich
from hemx_core.data.read_studies import read_studies
from hemx_core.data.study import Study, patient_labels, study_labels
from hemx_core.files import write_whole
from hemx_core.imaging.prepare import crop_around
from hemx_core.markers import MARKER_CODES
from hemx_core.nn.inference import segment
from hemx_core.nn.joint import MarkerClassifier
from hemx_core.nn.unet import UNet
from hemx_core.training.stage2 import MIN_BLOOD_MM2

DRAWN = 240
"""Held-out resynthesised studies of a fold that are scored."""
BATCH = 32


def predict(
    network: MarkerClassifier,
    studies: Sequence[Study],
    *,
    unet: UNet | None,
    mask_threshold: float,
) -> dict[str, NDArray[np.generic]]:
    """Logits of all slices with blood, as triage cuts them.

    Args:
        network: blind to encoder features.
        studies: of held-out patients.
        unet: finds the blood; None takes the true masks.
        mask_threshold: probability from which a pixel counts as blood.
    Returns:
        Of slices: `logits` and `labels` (slices, 4), `study`, `place` (in the volume), `area_mm2`
        (slices,). Of studies: `study_labels` (studies, 4), `id` (studies,).
    """
    pixel_mm2 = SEGMENTER.preprocessing.pixel_mm**2
    size, crops = CLASSIFIER.crop_size, []
    rows: dict[str, list[object]] = {"labels": [], "study": [], "place": [], "area_mm2": []}
    for number, study in enumerate(studies):
        labels = study_labels(study, MARKER_CODES)
        found = study.mask if unet is None else segment(unet, study.image)[0] >= mask_threshold
        for i, mask in enumerate(found):
            area = np.count_nonzero(mask) * pixel_mm2
            if area >= MIN_BLOOD_MM2:
                crops.append(crop_around(study.image[i].astype(np.float32), mask, size)[0])
                rows["labels"].append(labels[i])
                rows["study"].append(number)
                rows["place"].append(int(study.slice_index[i]))
                rows["area_mm2"].append(area)
    truth, _ = patient_labels(studies, MARKER_CODES)
    return {
        "logits": logits_of(network, np.stack(crops)),
        **{name: np.array(values) for name, values in rows.items()},
        "study_labels": truth,
        "id": np.array([study.patient_id for study in studies]),
    }


@torch.inference_mode()
def logits_of(network: MarkerClassifier, crops: NDArray[np.float32]) -> NDArray[np.float64]:
    """Logits (crops, 4) of crops (crops, K, K), in float32."""
    network = network.float().eval()
    features = torch.zeros(BATCH, network.encoder_channels)
    parts = []
    for start in range(0, len(crops), BATCH):
        part = torch.from_numpy(crops[start : start + BATCH])[:, None]
        parts.append(network(part, features[: len(part)])[0].double().numpy())
    return np.concatenate(parts)


def predict_fold(
    place: Place, arm: Arm, *, unet: UNet | None, mask_threshold: float
) -> dict[str, Path]:
    """Store an arm's answers on the held-out read patients and resynthesised studies."""
    network = classifier(place, arm)
    folder = phe_sich.data_folder()
    held = phe_sich.split_by_fold(phe_sich.read_rows(folder), place.fold)["test"]
    kinds = {
        "read": read_studies(folder, held, SEGMENTER.preprocessing),
        "drawn": list(islice(iter(lesions(place).patients("test")), DRAWN)),
    }
    written = {}
    for kind, studies in kinds.items():
        found = predict(network, studies, unet=unet, mask_threshold=mask_threshold)
        path = place.folder / f"{arm.name}_{kind}.npz"
        stored = io.BytesIO()
        np.savez(stored, allow_pickle=False, **found)
        write_whole(path, stored.getvalue())
        written[kind] = path
    return written
