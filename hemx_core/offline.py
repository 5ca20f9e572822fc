"""Nothing binds or resolves an address while HEMX is imported.

pydicom can download test files, so it imports `requests` where that is installed; with it comes urllib3,
which binds a socket to see whether there is IPv6. HEMX downloads nothing: pydicom is told that there is no
`requests`. Who imports `requests` elsewhere in the process still gets it.
"""

from __future__ import annotations

import importlib.machinery
import sys
from collections.abc import Sequence
from types import ModuleType

_DOWNLOADS, _CLIENT = "pydicom.data.download", "requests"


class _WithoutClient(importlib.machinery.SourceFileLoader):
    """Runs a module that finds no `requests`."""

    def exec_module(self, module: ModuleType) -> None:
        """Run it."""
        found = sys.modules.get(_CLIENT)
        sys.modules[_CLIENT] = None  # type: ignore[assignment]
        try:
            super().exec_module(module)
        finally:
            del sys.modules[_CLIENT]
            if found is not None:
                sys.modules[_CLIENT] = found


class _Finder:
    """Finds pydicom's downloads alone."""

    @staticmethod
    def find_spec(
        name: str, path: Sequence[str] | None, target: ModuleType | None = None
    ) -> importlib.machinery.ModuleSpec | None:
        """The module's specification with the loader from here; None for all others."""
        if name != _DOWNLOADS:
            return None
        spec = importlib.machinery.PathFinder.find_spec(name, path, target)
        if spec is not None and isinstance(spec.loader, importlib.machinery.SourceFileLoader):
            spec.loader = _WithoutClient(spec.loader.name, spec.loader.path)
        return spec


def stay_offline() -> None:
    """Keep pydicom from importing a client of networks; to be called before it is imported."""
    if _Finder not in sys.meta_path:
        sys.meta_path.insert(0, _Finder)
