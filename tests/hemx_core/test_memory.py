from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from hemx_core import memory
from hemx_core.memory import PeakMemory, rss_mib


@pytest.mark.parametrize("method", ["high_water_mark", "sampled"])
def test_a_peak_that_is_gone_again_is_found(method: str, monkeypatch: pytest.MonkeyPatch) -> None:
    if method == "sampled":
        monkeypatch.setattr(memory, "_CLEAR", Path("/proc/no/such/file"))
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
    monkeypatch.setattr(memory, "_STATM", Path("/proc/no/such/file"))
    assert rss_mib() == 0
    with PeakMemory() as peak:
        pass
    assert peak.to_json()["above_base_mib"] is None
