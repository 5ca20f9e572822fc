"""RAPL counters from a folder like Linux's."""

from __future__ import annotations

from pathlib import Path

import pytest

from benchmarks.harness.energy import NOT_TOLD, EnergyMeter, tell_joules


def write_zone(folder: Path, name: str, microjoules: int, span: int = 1_000_000) -> Path:
    zone = folder / name
    zone.mkdir(parents=True, exist_ok=True)
    (zone / "energy_uj").write_text(f"{microjoules}\n", encoding="ascii")
    (zone / "max_energy_range_uj").write_text(f"{span}\n", encoding="ascii")
    return zone


def test_joules_of_all_packages(tmp_path: Path) -> None:
    write_zone(tmp_path, "intel-rapl:0", 100)
    write_zone(tmp_path, "intel-rapl:1", 500)
    write_zone(tmp_path, "intel-rapl:0:0", 100)  # A part of package 0: not counted twice.
    with EnergyMeter(tmp_path) as meter:
        write_zone(tmp_path, "intel-rapl:0", 2_000_100)
        write_zone(tmp_path, "intel-rapl:1", 1_000_500)
        write_zone(tmp_path, "intel-rapl:0:0", 900_000)
    assert meter.joules == pytest.approx(3.0)


def test_a_counter_that_ran_over(tmp_path: Path) -> None:
    write_zone(tmp_path, "intel-rapl:0", 900_000)
    with EnergyMeter(tmp_path) as meter:
        write_zone(tmp_path, "intel-rapl:0", 100_000)
    assert meter.joules == pytest.approx(0.2)


@pytest.mark.parametrize("name", ["missing", "empty"])
def test_a_machine_that_does_not_tell(tmp_path: Path, name: str) -> None:
    (tmp_path / "empty").mkdir()
    with EnergyMeter(tmp_path / name) as meter:
        pass
    assert meter.joules is None
    assert tell_joules(meter.joules) == NOT_TOLD


def test_a_counter_that_may_not_be_read(tmp_path: Path) -> None:
    (write_zone(tmp_path, "intel-rapl:0", 1) / "energy_uj").unlink()
    with EnergyMeter(tmp_path) as meter:
        pass
    assert meter.joules is None
