from __future__ import annotations

import json
from pathlib import Path

import pytest
import typer
from typer.testing import CliRunner

from hemx_core.commands.evaluate import register
from hemx_core.data import phe_sich
from hemx_core.imaging.spec import PreprocessingSpec
from hemx_core.nn.config import UNetConfig
from hemx_core.nn.unet import UNet
from hemx_core.nn.weights import save_weights, segmenter_config
from tests.factories import write_phe_sich


@pytest.fixture(scope="module")
def real(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return write_phe_sich(tmp_path_factory.mktemp("phe_sich"), patients=40)


@pytest.mark.slow
def test_the_command_writes_what_it_found(
    tmp_path: Path, real: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    unet = UNet(UNetConfig(width=0.125, depth=0.1))
    save_weights(
        tmp_path / "segmenter.safetensors", unet, config=segmenter_config(unet), training={}
    )
    spec = PreprocessingSpec(size=64, pixel_mm=3.6)
    decided = {"mask_threshold": 0.5, "preprocessing": spec.to_json(), "min_component_ml": 0.1}
    (tmp_path / "decision.json").write_text(json.dumps(decided))
    monkeypatch.setattr(phe_sich, "data_folder", lambda: real)
    app = typer.Typer()
    app.callback()(lambda: None)
    register(app)
    done = CliRunner().invoke(
        app, ["evaluate", "masks", "--weights", str(tmp_path), "--out", str(tmp_path / "out")]
    )
    assert done.exit_code == 0, done.output
    written = json.loads((tmp_path / "out" / "masks_test.json").read_text())
    assert written["patients"] == phe_sich.TEST_PATIENTS
    assert written["split"] == "test"
    assert "16 patients: Dice" in done.output
