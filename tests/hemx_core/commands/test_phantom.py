import json
from pathlib import Path

import numpy as np
import pytest
import typer
from typer.testing import CliRunner, Result

from hemx_core.commands.phantom import parse_markers, register
from hemx_core.errors import InputError, OutputError, VolumeError
from hemx_core.imaging.reader import read_series
from hemx_core.phantoms import LesionSpec, PhantomSpec, SiteSpec, make_phantom, write_phantom

SMALL = ("--matrix", "96", "--slices", "10", "--volume-ml", "30")


def run(*arguments: str) -> Result:
    app = typer.Typer()
    register(app)
    app.command("other")(lambda: None)  # a single command would lose its name
    return CliRunner().invoke(app, ["phantom", *arguments])


def test_growth_writes_two_studies_and_their_truth(tmp_path: Path) -> None:
    result = run("--out", str(tmp_path), "--growth", "1.5", "--markers", "blend", *SMALL)
    assert result.exit_code == 0, result.output
    truth = json.loads((tmp_path / "truth.json").read_text(encoding="utf-8"))
    before, after = truth["studies"]["baseline"], truth["studies"]["follow_up"]
    assert after["haematoma_volume_ml"] / before["haematoma_volume_ml"] == pytest.approx(
        1.5, rel=0.08
    )
    assert before["patient_markers"]["blend"] is True
    assert before["patient_markers"]["fluid_level"] is False
    masks = np.load(tmp_path / "truth_masks.npz")
    for name, study in truth["studies"].items():
        volume = read_series(tmp_path / name)
        assert masks[name].shape == volume.shape
        assert volume.identity.series_uid == study["series_uid"]
        area = masks[name].sum(axis=(1, 2)) * volume.geometry.pixel_area_mm2
        assert study["slice_area_mm2"] == pytest.approx(area.tolist(), abs=0.01)
        assert f"Written: {tmp_path / name} (10 DICOM files)" in result.output
    earlier, later = (read_series(tmp_path / name) for name in truth["studies"])
    assert earlier.identity.acquired_at < later.identity.acquired_at


def test_no_lesion(tmp_path: Path) -> None:
    result = run("--out", str(tmp_path), "--no-lesion", *SMALL[:4])
    assert result.exit_code == 0, result.output
    assert "no haematoma" in result.output
    assert not np.load(tmp_path / "truth_masks.npz")["baseline"].any()


def test_the_site_decides_the_scanner(tmp_path: Path) -> None:
    for number in ("3", "4"):
        folder = str(tmp_path / number)
        assert run("--out", folder, "--site", number, *SMALL).exit_code == 0
    sites = [
        json.loads((tmp_path / number / "truth.json").read_text(encoding="utf-8"))["studies"][
            "baseline"
        ]["spec"]["site"]
        for number in ("3", "4")
    ]
    assert [site["name"] for site in sites] == ["site-03", "site-04"]
    assert sites[0]["noise_sd_hu"] != sites[1]["noise_sd_hu"]


@pytest.mark.parametrize(
    ("arguments", "error"),
    [
        (("--no-lesion", "--volume-ml", "20"), InputError),
        (("--markers", "hypodensity,swirl"), InputError),
        (("--location", "pons"), VolumeError),
        (("--markers", "blend,fluid_level", "--volume-ml", "0.3", "--slices", "2"), InputError),
    ],
)
def test_wrong_requests_are_intended_errors(
    tmp_path: Path, arguments: tuple[str, ...], error: type[Exception]
) -> None:
    result = run("--out", str(tmp_path), "--matrix", "64", *arguments)
    assert isinstance(result.exception, error)
    assert not list(tmp_path.iterdir())


def test_markers_are_named_by_their_codes() -> None:
    assert parse_markers(None) is None
    assert parse_markers("none") == ()
    assert parse_markers("blend, irregular") == ("blend", "irregular")


def test_three_time_points_are_refused(tmp_path: Path) -> None:
    site = SiteSpec(matrix=64, slices=2)
    phantom = make_phantom(PhantomSpec(lesion=LesionSpec(), site=site))
    with pytest.raises(OutputError, match="3 time points"):
        write_phantom([phantom] * 3, tmp_path)
