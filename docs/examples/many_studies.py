"""Triage many studies: the models are loaded once. One bad study does not end the run."""

from pathlib import Path

import hemx_core as hemx

for seed in (1, 2):
    hemx.phantom(seed=seed, matrix=256, out=f"inbox/{seed}")
Path("inbox/3/baseline").mkdir(parents=True)  # holds no images

with hemx.load_models() as models:
    for folder in sorted(Path("inbox").iterdir()):
        try:
            result = hemx.triage(folder / "baseline", models=models)
        except hemx.HemxError as error:
            print(folder.name, "refused:", error.found)
        else:
            print(folder.name, result.recommendation, f"{result.haematoma.volume_ml:.1f} mL")
