from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

from hemx_core.costs import StageClock
from hemx_core.device import memory
from hemx_core.device.memory import (
    MIB,
    OWN,
    PeakMemory,
    ProcessBytes,
    available_bytes,
    peak_rss_mib,
    process_age_seconds,
    process_bytes,
    processor_name,
    resident_bytes,
    rss_mib,
)


@pytest.mark.parametrize("method", ["high_water_mark", "sampled"])
def test_a_peak_that_is_gone_again_is_found(method: str, monkeypatch: pytest.MonkeyPatch) -> None:
    if method == "sampled":

        def refuse(_process: object) -> None:
            raise PermissionError

        monkeypatch.setattr(memory, "forget_peak", refuse)
    with PeakMemory() as peak:
        block = np.ones(48 * 2**20, np.uint8)
        while method == "sampled" and peak.peak_mib < peak.base_mib + 40:
            pass
        del block
    assert peak.method == method
    assert 40 < peak.above_base_mib < 80
    assert peak.to_json()["method"] == method


def test_an_earlier_peak_does_not_count() -> None:
    block = np.ones(96 * 2**20, np.uint8)
    del block
    with PeakMemory() as peak:
        pass
    assert peak.above_base_mib < 20


def test_where_the_system_tells_nothing_nothing_is_invented(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(memory, "PROC", Path("/proc/no/such/folder"))
    assert rss_mib() == 0
    assert available_bytes() is None
    assert process_bytes(OWN) == ProcessBytes()
    assert processor_name()
    with PeakMemory() as peak:
        pass
    assert peak.to_json()["above_base_mib"] is None


HOLDS = """
import sys
block = bytearray(64 * 2**20)
print("there", flush=True)
del block
print("freed", flush=True)
sys.stdin.readline()
block = bytearray(32 * 2**20)
print("again", flush=True)
sys.stdin.readline()
"""


@pytest.mark.skipif(not Path("/proc/self/status").is_file(), reason="Linux tells in /proc")
def test_another_process_counts_with_its_own_peak() -> None:
    command = [sys.executable, "-c", HOLDS]
    pipes = {"stdin": subprocess.PIPE, "stdout": subprocess.PIPE, "text": True}
    with subprocess.Popen(command, **pipes) as other:
        assert other.stdin is not None
        assert other.stdout is not None
        assert other.stdout.readline() == "there\n"
        before = process_bytes(other.pid)
        assert before.peak > 64 * 2**20
        clock, alone = StageClock(other.pid), StageClock()
        for one in (clock, alone):
            with one.stage("segment"):
                pass
        assert clock.costs[0].peak_rss_mib - alone.costs[0].peak_rss_mib > 64
        # Else the base might still hold the first block.
        assert other.stdout.readline() == "freed\n"
        with PeakMemory(other.pid) as peak:
            other.stdin.write("go on\n")
            other.stdin.flush()
            assert other.stdout.readline() == "again\n"
        assert 30 < peak.above_base_mib < 60, "the peak before does not count"
        other.stdin.write("end\n")
    assert process_bytes(other.pid) == ProcessBytes()
    assert process_bytes(None) == ProcessBytes()
    assert process_bytes(os.getpid()).resident > 0


def test_figures_are_read_from_the_systems_files(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "self").mkdir()
    files = {
        "self/statm": "900 25 3\n",
        "self/status": "Name:\tpython: x\nVmHWM:\t    2048 kB\nVmRSS:\t 1024 kB\nRssAnon:\t 512 kB\n",
        "self/stat": "7 (a name) with) S " + " ".join("0" * 18) + " 500 0 0\n",
        "uptime": "100.5 90.0\n",
        "meminfo": "MemTotal: 9 kB\nMemAvailable:    4096 kB\n",
        "cpuinfo": "model name\t: Fast: 1\nmodel name\t: Slow\n",
    }
    for name, text in files.items():
        (tmp_path / name).write_text(text, encoding="ascii")
    monkeypatch.setattr(memory, "PROC", tmp_path)
    assert resident_bytes() == 25 * os.sysconf("SC_PAGE_SIZE")
    assert process_bytes(OWN) == ProcessBytes(resident=MIB, peak=2 * MIB, anonymous=MIB // 2)
    assert peak_rss_mib() == 2.0
    assert available_bytes() == 4 * MIB
    assert processor_name() == "Fast: 1"
    assert process_age_seconds() == 100.5 - 500 / os.sysconf("SC_CLK_TCK")
