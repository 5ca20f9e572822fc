import json
from pathlib import Path

import cv2
import numpy as np

from benchmarks.paper.report import Row, Section, write_report
from benchmarks.paper.scale import TINY
from benchmarks.paper.stats import Estimate
from tests.benchmarks.squeezed import squeezed

GOOD = Estimate(0.8123, 0.7, 0.9, 0.01, 3)
SECTION = Section(
    title="AUC per slice",
    note="Held-out patients.",
    columns=[("hypodensity", "Hypodensity"), ("blend", "Blend")],
    rows=[
        Row(
            arm="vgg",
            title="VGG16",
            cells={"hypodensity": GOOD, "blend": Estimate(None, None, None, None, 3)},
            paper={"hypodensity": 0.692},
        ),
        Row(arm="wavelet", title="Wavelet VGG16", cells={"hypodensity": GOOD}),
    ],
    differences=[
        Row(
            arm="gain",
            title="Wavelet minus VGG16",
            cells={"hypodensity": Estimate(-0.02, -0.05, 0.01, 0.01, 3)},
        )
    ],
)
FACTS = {
    "title": "Merging",
    "scale": TINY.to_json(),
    "seeds": [1, 2, 3],
    "minutes": 2.0,
    "threads": 1,
}


def test_report_writes_json_table_and_plot(tmp_path: Path) -> None:
    report = write_report(tmp_path, "merging", [SECTION], facts=FACTS)
    assert json.loads((tmp_path / "merging.json").read_text()) == json.loads(json.dumps(report))
    text = squeezed((tmp_path / "merging.md").read_text())
    assert text.startswith("# Merging\n\nScale `tiny`")
    assert "\n\n## AUC per slice\n\nHeld-out patients.\n\n" in text
    assert "| VGG16 | 0.812 (0.700 to 0.900) ± 0.010 [0.692] | not estimable |" in text
    assert "| *Wavelet minus VGG16* | -0.020 (-0.050 to +0.010) ± 0.010 | |" in text
    assert "U-Net width 0.1" in text
    picture = cv2.imread(str(tmp_path / "merging.png"))
    assert picture is not None
    assert len(np.unique(picture)) > 10
    assert sorted(path.name for path in tmp_path.iterdir()) == [
        "merging.json",
        "merging.md",
        "merging.png",
    ]
