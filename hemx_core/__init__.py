"""HEMX: triage of brain haemorrhage on non-contrast head CT. Research software, not a medical device.

    import hemx_core as hemx

    result = hemx.triage("study/")          # a folder, file, zip or DICOMDIR; or a hemx.Volume
    result.haematoma.volume_ml
    result.save("out/", pdf=True)

Importing this package imports nothing heavy: what it offers is imported when it is first used.
"""

from importlib import import_module
from typing import TYPE_CHECKING

from hemx_core.offline import stay_offline

if TYPE_CHECKING:
    from hemx_core import errors
    from hemx_core.api import ComparisonResult, TriageResult, compare, phantom, triage
    from hemx_core.bundle.load import Models, load_models
    from hemx_core.errors import (
        BackendError,
        DicomSeriesError,
        ExtrasError,
        HemxError,
        InputError,
        ModelError,
        NotHeadError,
        NotHUError,
        OutputError,
        VolumeError,
    )
    from hemx_core.imaging.reader import SeriesSummary, list_series, read_series
    from hemx_core.imaging.spec import HUWindow
    from hemx_core.imaging.volume import HUVolume as Volume
    from hemx_core.phantoms.make import Phantom
    from hemx_core.result import Recommendation

__version__ = "0.1.0"

stay_offline()

__all__ = [
    "BackendError",
    "ComparisonResult",
    "DicomSeriesError",
    "ExtrasError",
    "HUWindow",
    "HemxError",
    "InputError",
    "ModelError",
    "Models",
    "NotHUError",
    "NotHeadError",
    "OutputError",
    "Phantom",
    "Recommendation",
    "SeriesSummary",
    "TriageResult",
    "Volume",
    "VolumeError",
    "__version__",
    "compare",
    "errors",
    "list_series",
    "load_models",
    "phantom",
    "read_series",
    "triage",
]

# Name -> module, and its name there. No module of the package but `errors`, which is meant, may have
# one of these names: importing it would put the module where the function belongs.
_LAZY = {
    "BackendError": "hemx_core.errors:BackendError",
    "ComparisonResult": "hemx_core.api:ComparisonResult",
    "DicomSeriesError": "hemx_core.errors:DicomSeriesError",
    "ExtrasError": "hemx_core.errors:ExtrasError",
    "HUWindow": "hemx_core.imaging.spec:HUWindow",
    "HemxError": "hemx_core.errors:HemxError",
    "InputError": "hemx_core.errors:InputError",
    "ModelError": "hemx_core.errors:ModelError",
    "Models": "hemx_core.bundle.load:Models",
    "NotHUError": "hemx_core.errors:NotHUError",
    "NotHeadError": "hemx_core.errors:NotHeadError",
    "OutputError": "hemx_core.errors:OutputError",
    "Phantom": "hemx_core.phantoms.make:Phantom",
    "Recommendation": "hemx_core.result:Recommendation",
    "SeriesSummary": "hemx_core.imaging.reader:SeriesSummary",
    "TriageResult": "hemx_core.api:TriageResult",
    "Volume": "hemx_core.imaging.volume:HUVolume",
    "VolumeError": "hemx_core.errors:VolumeError",
    "compare": "hemx_core.api:compare",
    "errors": "hemx_core.errors:",
    "list_series": "hemx_core.imaging.reader:list_series",
    "load_models": "hemx_core.bundle.load:load_models",
    "phantom": "hemx_core.api:phantom",
    "read_series": "hemx_core.imaging.reader:read_series",
    "triage": "hemx_core.api:triage",
}


def __getattr__(name: str) -> object:
    """Import what is asked for (PEP 562)."""
    if name not in _LAZY:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    module, _, attribute = _LAZY[name].partition(":")
    found = import_module(module)
    globals()[name] = value = getattr(found, attribute) if attribute else found
    return value


def __dir__() -> list[str]:
    """What is offered, imported or not."""
    return sorted({*globals(), *__all__})
