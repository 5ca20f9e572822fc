"""The one error of the folding passes."""

from __future__ import annotations

from torch import nn

from hemx_core.errors import FoldError


def inexact(found: str, module: nn.Module) -> FoldError:
    """A `FoldError` that names the module which cannot be rewritten exactly."""
    text = str(module).splitlines()[0]
    return FoldError(
        f"{found} ({text})",
        expected="a form the export folds exactly: see the derivations in export/fold_*.py",
        remedy="export another configuration, or add a folding pass with its derivation and test",
    )
