"""What tries to tell resynthesised haematomas from real ones: features that one would measure, a network."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import cv2
import numpy as np
import torch
from numpy.typing import NDArray
from torch import nn

from hemx_core.phantoms.fields import Floats
from hemx_core.phantoms.grain import residual
from hemx_core.phantoms.outlines import signed_distance
from hemx_core.phantoms.overlay import split_noise
from hemx_core.phantoms.truth import solidity

CROP_PX = 64
RISE_HU = 14.0
"""Above the brain round it: where the outlines of both kinds are found anew, by one rule."""


@dataclass(frozen=True, kw_only=True, eq=False)
class Sample:
    """One slice with a haematoma.

    Args:
        patient: real: whose; resynthesised: the number of the study.
        hu: shape (size, size).
        mask: found by `outline`, the same for both kinds.
    """

    patient: str
    hu: Floats
    mask: NDArray[np.bool_]


def outline(hu: Floats, hint: NDArray[np.bool_]) -> NDArray[np.bool_]:
    """The haematoma near a mask, by density alone: masks of two origins must not tell them apart."""
    distance = -signed_distance(hint)
    ring = (distance > 4) & (distance < 14) & (hu > 18) & (hu < 50)
    level = float(np.median(hu[ring])) if ring.any() else 30.0
    smooth = cv2.GaussianBlur(hu, (0, 0), 1.0)
    dense = ((smooth > level + RISE_HU) & (distance < 4)).astype(np.uint8)
    count, labels = cv2.connectedComponents(dense)
    kept = np.zeros(count, np.bool_)
    kept[np.unique(labels[hint])] = True
    kept[0] = False
    return np.asarray(kept[labels])


FEATURES = (
    "area",
    "solidity",
    "mean",
    "sd",
    "residual_sd",
    "fine_noise",
    "brain_noise",
    "neighbours",
    "slope",
    "fall",
    "steepness",
    "ring",
    "skew",
)


def features(sample: Sample) -> list[float]:
    """What a person would measure of a clot, in the order of `FEATURES`."""
    hu, mask = sample.hu, sample.mask
    distance = signed_distance(mask)
    core = distance > 2
    core = core if np.count_nonzero(core) > 12 else mask
    left, deep = residual(hu, mask)
    deep = deep if np.count_nonzero(deep) > 12 else core
    far = (distance < -8) & (distance > -18) & (hu > 18) & (hu < 50)
    brain = hu[far] if far.any() else np.array([30.0])
    noise = split_noise(hu, np.where(hu > 5, np.float32(9), np.float32(0)))[1]
    pairs = deep[:, :-1] & deep[:, 1:]
    spread = float(left[deep].std()) + 1e-3
    near = (distance < -2) & (distance > -6) & (hu > 5) & (hu < 60)
    places = np.argwhere(core)
    plane = np.c_[np.ones(len(places)), places - places.mean(0)]
    slope = np.linalg.lstsq(plane, hu[core], rcond=None)[0][1:]
    row, column = np.gradient(cv2.GaussianBlur(hu, (0, 0), 0.7))
    rim = np.abs(distance) < 1.5
    return [
        float(np.log(mask.sum())),
        solidity(mask),
        float(hu[core].mean()),
        float(hu[core].std()),
        spread,
        _robust(noise[deep]),
        _robust(noise[far]) if far.any() else 2.0,
        float((left[:, :-1] * left[:, 1:])[pairs].mean()) / spread**2 if pairs.any() else 0.0,
        float(np.hypot(*slope)),
        float(hu[core].mean() - hu[mask & (distance < 2)].mean()),
        float(np.hypot(row, column)[rim].mean()) / max(float(hu[core].mean() - brain.mean()), 5.0),
        float(hu[near].mean() - brain.mean()) if near.any() else 0.0,
        float((left[deep] ** 3).mean()) / spread**3,
    ]


def _robust(values: Floats) -> float:
    return 1.4826 * float(np.median(np.abs(values - np.median(values))))


@dataclass(frozen=True, kw_only=True, eq=False)
class Contest:
    """Real and resynthesised slices, to learn on and to score on."""

    learn: tuple[Sequence[Sample], Sequence[Sample]]
    score: tuple[Sequence[Sample], Sequence[Sample]]

    def truth(self, which: str) -> NDArray[np.int64]:
        """1 for resynthesised, in the order of both kinds one after the other."""
        real, drawn = getattr(self, which)
        return np.repeat([0, 1], [len(real), len(drawn)])

    def scored(self, values: NDArray[np.floating]) -> Scored:
        """Values of the scored slices with what they are of."""
        real, drawn = self.score
        names = [f"r{one.patient}" for one in real] + [f"d{one.patient}" for one in drawn]
        return Scored(values, self.truth("score"), np.unique(names, return_inverse=True)[1])


@dataclass(frozen=True)
class Scored:
    """Scores of slices, 1 where they are resynthesised, and the patient or study of each."""

    values: NDArray[np.floating]
    truth: NDArray[np.int64]
    group: NDArray[np.int64]


def by_features(contest: Contest, *, seed: int) -> dict[str, Scored]:
    """A forest and a logistic regression on `FEATURES`."""
    from sklearn.ensemble import RandomForestClassifier
    from sklearn.linear_model import LogisticRegression
    from sklearn.pipeline import make_pipeline
    from sklearn.preprocessing import StandardScaler

    learnt, met = (
        np.array([features(one) for kind in kinds for one in kind])
        for kinds in (contest.learn, contest.score)
    )
    models = {
        "forest": RandomForestClassifier(
            300, max_depth=6, class_weight="balanced", random_state=seed
        ),
        "logistic": make_pipeline(StandardScaler(), LogisticRegression(class_weight="balanced")),
    }
    answer = {}
    for name, model in models.items():
        model.fit(learnt, contest.truth("learn"))
        answer[name] = contest.scored(model.predict_proba(met)[:, 1])
    return answer


def feature_table(real: Sequence[Sample], drawn: Sequence[Sample]) -> dict[str, Any]:
    """Median of each feature, real and resynthesised, and how well it alone tells them apart."""
    tables = [np.array([features(one) for one in kind]) for kind in (real, drawn)]
    truth = np.repeat([0, 1], [len(real), len(drawn)])
    return {
        name: {
            "real": round(float(np.median(tables[0][:, i])), 3),
            "drawn": round(float(np.median(tables[1][:, i])), 3),
            "auc": round(_auc(np.concatenate([table[:, i] for table in tables]), truth), 3),
        }
        for i, name in enumerate(FEATURES)
    }


class SmallNetwork(nn.Sequential):
    """Four convolutions and a mean: enough to see texture, borders and surroundings."""

    def __init__(self, width: int = 12) -> None:
        layers: list[nn.Module] = []
        before = 1
        for stage in range(4):
            after = width * 2 ** min(stage, 2)
            layers += [
                nn.Conv2d(before, after, 3, padding=1, bias=False),
                nn.BatchNorm2d(after),
                nn.ReLU(),
                nn.MaxPool2d(2),
            ]
            before = after
        super().__init__(*layers, nn.AdaptiveAvgPool2d(1), nn.Flatten(), nn.Linear(before, 1))


def by_network(contest: Contest, *, seed: int, steps: int) -> Scored:
    """A small network on crops round the outline."""
    torch.manual_seed(seed)
    rng = np.random.default_rng((seed, 9))
    crops = {
        which: np.stack([crop(one) for kind in getattr(contest, which) for one in kind])
        for which in ("learn", "score")
    }
    truth = contest.truth("learn")
    network = SmallNetwork()
    optimiser = torch.optim.AdamW(network.parameters(), 3e-3, weight_decay=0.02)
    schedule = torch.optim.lr_scheduler.OneCycleLR(optimiser, 3e-3, total_steps=steps)
    kinds = [np.flatnonzero(truth == kind) for kind in (0, 1)]
    for _ in range(steps):
        picks = np.concatenate([rng.choice(kind, 16) for kind in kinds])
        batch = np.stack([_augmented(rng, crops["learn"][pick]) for pick in picks])
        logits = network(torch.from_numpy(batch)[:, None])[:, 0]
        labels = torch.from_numpy(truth[picks]).float()
        loss = nn.functional.binary_cross_entropy_with_logits(logits, labels)
        optimiser.zero_grad()
        loss.backward()
        optimiser.step()
        schedule.step()
    network.eval()
    with torch.inference_mode():
        views = [crops["score"], crops["score"][:, :, ::-1].copy()]
        found = sum(network(torch.from_numpy(view)[:, None])[:, 0].numpy() for view in views)
    return contest.scored(found)


def crop(sample: Sample) -> Floats:
    """A square round the outline, grey values from 0 to 1."""
    row, column = (round(float(v)) for v in np.argwhere(sample.mask).mean(0))
    half = CROP_PX // 2
    wide = np.pad(sample.hu, half)
    return (wide[row : row + CROP_PX, column : column + CROP_PX] / 80).astype(np.float32)


def _augmented(rng: np.random.Generator, picture: Floats) -> Floats:
    moved = np.roll(picture, rng.integers(-3, 4, 2), (0, 1))
    moved = moved[:, ::-1] if rng.random() < 0.5 else moved
    return (moved * rng.uniform(0.96, 1.04)).astype(np.float32)


def _auc(scores: NDArray[np.floating], truth: NDArray[np.int64]) -> float:
    from sklearn.metrics import roc_auc_score

    return float(roc_auc_score(truth, scores))


def rated(parts: Sequence[Scored], *, seed: int, draws: int = 500) -> dict[str, Any]:
    """Mean AUC of parts (folds) with a 95 % interval of a bootstrap over patients and studies."""
    rng = np.random.default_rng((seed, 5))
    members = [
        [np.flatnonzero(part.group == group) for group in range(part.group.max() + 1)]
        for part in parts
    ]
    values = []
    for _ in range(draws):
        drawn = []
        for part, groups in zip(parts, members, strict=True):
            picks = np.concatenate([groups[i] for i in rng.integers(0, len(groups), len(groups))])
            if 0 < part.truth[picks].mean() < 1:
                drawn.append(_auc(part.values[picks], part.truth[picks]))
        values.append(np.mean(drawn))
    low, high = (round(float(value), 3) for value in np.percentile(values, [2.5, 97.5]))
    mean = float(np.mean([_auc(part.values, part.truth) for part in parts]))
    return {"auc": round(mean, 3), "interval": [low, high]}
