"""What both stages write about a run and check of each other's."""

from __future__ import annotations

import json
from dataclasses import asdict
from pathlib import Path
from typing import Any

from hemx_core.data.study import StudySource
from hemx_core.errors import HemxError, TrainingError
from hemx_core.imaging.spec import PreprocessingSpec
from hemx_core.training.classifier_config import ClassifierTraining
from hemx_core.training.segmentation import SegmentationTraining


def settings_card(config: SegmentationTraining | ClassifierTraining) -> dict[str, Any]:
    """Settings as JSON values; of files the name only."""
    return dict(json.loads(json.dumps(asdict(config), default=lambda path: path.name)))


def check_preprocessing(source: StudySource, wanted: PreprocessingSpec) -> None:
    """Refuse a source that was prepared otherwise.

    Raises:
        TrainingError: it was.
    """
    if source.preprocessing != wanted:
        raise TrainingError(
            f"{source.description.get('name')} was prepared with {source.preprocessing.to_json()}",
            expected=f"{wanted.to_json()}, as the segmenter takes it",
            remedy="prepare the data in that way, or train a segmenter on this data first",
        )


def read_stage1(decision: Path) -> tuple[float, PreprocessingSpec]:
    """Mask threshold and preprocessing that stage 1 decided on.

    Raises:
        TrainingError: stage 1 has left none.
    """
    try:
        decided = json.loads(decision.read_text(encoding="utf-8"))
        threshold = float(decided["mask_threshold"])
        return threshold, PreprocessingSpec.from_json(decided["preprocessing"])
    except (OSError, ValueError, TypeError, KeyError, HemxError) as error:
        raise TrainingError(
            f"no mask threshold or preprocessing in {decision.name} ({error})",
            expected="the file that stage 1 writes beside its weights",
            remedy="run `hemx train segmentation` first, or give its folder with --weights",
        ) from error
