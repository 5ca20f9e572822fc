"""The device path runs where torch, executorch, scipy and pywt cannot be imported."""

import json
import subprocess
import sys
from pathlib import Path

import hemx_core

BLOCKED = ("torch", "executorch", "scipy", "pywt", "torchao", "lightning", "monai", "sklearn")

SCRIPT = f"""
import sys

class Blocker:
    def find_spec(self, name, path=None, target=None):
        if name.partition(".")[0] in {BLOCKED!r}:
            raise ModuleNotFoundError(f"{{name}} is blocked: the device does not have it")
        return None

sys.meta_path.insert(0, Blocker())

from pathlib import Path
import hemx_core as hemx
from hemx_core.phantoms import LesionSpec, PhantomSpec, SiteSpec, make_phantom, write_dicom_series
from hemx_core.bundle import load
from hemx_core.runtime import program
from tests.factories import ThresholdModels

out = Path(sys.argv[1])
site = SiteSpec(matrix=256, slices=9, slice_spacing_mm=7.0, slice_thickness_mm=7.0)
phantom = make_phantom(PhantomSpec(lesion=LesionSpec(volume_ml=30.0), site=site))
write_dicom_series(phantom.volume, out / "study")
result = hemx.triage(out / "study", models=ThresholdModels())
result.save(out / "out")
truth, found = phantom.mask, result.mask
print(2 * (truth & found).sum() / (truth.sum() + found.sum()))
"""


def test_phantom_to_report_without_torch(tmp_path: Path) -> None:
    root = Path(hemx_core.__file__).parent.parent
    done = subprocess.run(
        [sys.executable, "-c", SCRIPT, str(tmp_path)],
        cwd=root,
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    assert float(done.stdout) > 0.5, "the mask must lie on the phantom's clot"
    document = json.loads((tmp_path / "out" / "result.json").read_text(encoding="utf-8"))
    assert document["haematoma"]["found"] is True
    assert document["input"]["slices"] == 9
    assert (tmp_path / "out" / "overview.png").is_file()


def test_the_blocker_blocks(tmp_path: Path) -> None:
    root = Path(hemx_core.__file__).parent.parent
    script = SCRIPT.replace("from pathlib import Path", "import hemx_core.nn.unet", 1)
    done = subprocess.run(
        [sys.executable, "-c", script, str(tmp_path)],
        cwd=root,
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode != 0
    assert "torch is blocked" in done.stderr
