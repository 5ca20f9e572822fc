"""`hemx`: triage, compare, series, app and phantom; and groups for those who develop and train.

Commands are loaded by their modules' names: what trains needs torch, which this module must not
import, and the packages beside this one are built on it. `export` and `benchmarks` are in a checkout
only, see docs/installation.md. Heavy imports happen inside the commands, so `hemx --version` is quick.
"""

from __future__ import annotations

import errno
import os
import sys
from collections.abc import Sequence
from contextlib import suppress
from importlib import import_module
from pathlib import Path
from typing import Annotated, NoReturn

import typer

import hemx_core
from hemx_core.errors import BackendError, ExtrasError, HemxError
from hemx_core.files import lost_output
from hemx_core.notes import Phrase
from hemx_core.words import tell
from hemx_core.words.plain import plain

ERROR_EXIT = 2
EXTRAS_EXIT = 3
"""The result is printed and written; something asked for beside it could not be made."""
PACKAGE = "hemx_core"
_LOST_OUTPUT = {errno.EPIPE, errno.ENOSPC, errno.EDQUOT, errno.EIO, errno.EBADF}
"""What the system says where standard output cannot be written."""

COMMANDS = {
    "hemx_core.commands.triage": "",
    "hemx_core.commands.compare": "",
    "hemx_core.commands.series": "",
    "mobile_app.cli": "",
    "hemx_core.commands.phantom": "",
    "hemx_core.commands.data": "dev",
    "hemx_core.commands.evaluate": "dev",
    "hemx_core.commands.train": "",
    "hemx_core.commands.bundle": "bundle",
}
"""Module with `register(group)` -> the group, "" for `hemx` itself."""

IN_A_CHECKOUT = {
    "export.cli": ("dev", ("export", "validate")),
    "export.bundle_cli": ("bundle", ("keygen", "sign", "recalibrate")),
    "benchmarks.cli": ("", ("benchmark",)),
}
"""The same of modules that no wheel holds, each with the commands that it adds."""

EXTRAS = {
    "app": "app",
    "benchmark": "bench",
    "bundle": "export",
    "bundle self-test": "runtime",
    "compare": "runtime",
    "dev": "export",
    "dev data": "train",
    "dev evaluate": "train",
    "train": "train",
    "triage": "runtime",
}
"""The extra that brings what a command needs; the longest entry that a command line starts with."""

RENAMED = {
    "bundle flip-test": "benchmark flip-test",
    "data": "dev data",
    "evaluate": "dev evaluate",
    "experiment": "benchmark experiment",
    "export": "dev export",
    "fold-gain": "benchmark fold-gain",
    "layer-error": "benchmark layer-error",
    "layouts": "benchmark layouts",
    "validate": "dev validate",
}
"""Names from before the groups; they work for one version."""

FOR_DEVELOPERS = "Your own data and models, and development"
"""Heading of the groups in `hemx --help`, below what a clinician needs."""


def main() -> None:
    """Run the command line; an intended error is one message on stderr and exit code 2.

    What could not be made beside a result is one message each, and exit code 3.
    """
    words = current_names(sys.argv[1:])
    try:
        make_app()(args=words)
    except ExtrasError as error:
        for extra, why in error.failed:
            _say(f"{tell(Phrase(f'term.{extra}'))}: {why}")
        raise SystemExit(EXTRAS_EXIT) from None
    except HemxError as error:
        _fail(error)
    except OSError as error:
        if error.errno not in _LOST_OUTPUT:
            raise
        fail_output(error)
    except ModuleNotFoundError as error:
        if _is_ours(error):
            raise
        _fail(missing_extra(words, error))


def make_app() -> typer.Typer:
    """The whole command line."""
    app = typer.Typer(
        name="hemx",
        help="Offline triage of brain haemorrhage on CT. Research software, not a medical device.",
        no_args_is_help=True,
        add_completion=False,
        pretty_exceptions_enable=False,
    )
    app.callback()(_root)
    groups = {
        "": app,
        "dev": typer.Typer(
            no_args_is_help=True,
            help="Check data sets, score trained weights, export and validate bundles.",
        ),
        "bundle": typer.Typer(
            no_args_is_help=True, help="Verify, trust, test and sign model bundles."
        ),
    }
    for module, group in COMMANDS.items():
        import_module(module).register(groups[group])
    for name in ("dev", "bundle"):
        app.add_typer(groups[name], name=name)
    found = find_checkout()
    for module, (group, names) in IN_A_CHECKOUT.items():
        if found:
            import_module(module).register(groups[group])
        else:
            for name in names:
                _register_missing(groups[group], f"{group} {name}".strip())
    for added in app.registered_groups:
        added.rich_help_panel = FOR_DEVELOPERS
    return app


def find_checkout() -> bool:
    """Whether this package lies in a checkout; then its neighbours can be imported."""
    root = Path(hemx_core.__file__).resolve().parents[1]
    if not all((root / name).exists() for name in ("pyproject.toml", "export", "benchmarks")):
        return False
    if str(root) not in sys.path:
        # An editable installation knows the packages of the wheel only; so would the fresh
        # processes in which programs are measured.
        sys.path.insert(0, str(root))
        paths = [str(root), os.environ.get("PYTHONPATH", "")]
        os.environ["PYTHONPATH"] = os.pathsep.join(filter(None, paths))
    return True


def current_names(words: Sequence[str]) -> list[str]:
    """A command line in today's names; for an older name a hint with the new one goes to stderr."""
    for old, new in RENAMED.items():
        parts = old.split()
        if list(words[: len(parts)]) == parts:
            print(f"hemx: `hemx {old}` is now `hemx {new}`", file=sys.stderr)
            return [*new.split(), *words[len(parts) :]]
    return list(words)


def missing_extra(words: Sequence[str], error: ModuleNotFoundError) -> BackendError:
    """Which extra brings the module that a command did not find."""
    line = " ".join(words) + " "
    known = [name for name in EXTRAS if line.startswith(f"{name} ")]
    extra = EXTRAS[max(known, key=len)] if known else "runtime"
    return BackendError(
        f"{error.name} is not installed",
        expected=f"the extra `{extra}`",
        remedy=f'pip install "hemx[{extra}]"',
    )


def fail_output(error: OSError) -> NoReturn:
    """Say that what is printed goes nowhere, and end; nothing more is printed."""
    # What is buffered would be written again at the end, and fail again.
    nowhere = os.open(os.devnull, os.O_WRONLY)
    with suppress(OSError, ValueError):
        os.dup2(nowhere, sys.stdout.fileno())
    os.close(nowhere)
    _fail(lost_output(error))


def _is_ours(error: ModuleNotFoundError) -> bool:
    """A module of this project is missing by mistake, never for want of an extra."""
    ours = {PACKAGE, "mobile_app", "export", "benchmarks"}
    return (error.name or "").partition(".")[0] in ours


def _fail(error: HemxError) -> NoReturn:
    _say(str(error))
    raise SystemExit(ERROR_EXIT) from None


def _say(message: str) -> None:
    """Print a message without control characters that a file may have brought into it."""
    with suppress(OSError):  # nobody listens; the exit code tells
        print("\n".join(map(plain, f"hemx: {message}".split("\n"))), file=sys.stderr)


def _register_missing(group: typer.Typer, name: str) -> None:
    extra = EXTRAS[name.split()[0]]

    @group.command(
        name.split()[-1],
        help="Runs from a checkout of the source.",
        rich_help_panel=None if " " in name else FOR_DEVELOPERS,
        context_settings={
            "allow_extra_args": True,
            "ignore_unknown_options": True,
            "help_option_names": [],
        },
    )
    def missing() -> None:
        raise BackendError(
            f"`hemx {name}` is not part of an installed package",
            expected="a checkout of HEMX's source",
            remedy=f'in the checkout: pip install -e ".[{extra}]"; see docs/installation.md',
        )


def _print_version(wanted: bool) -> None:
    if wanted:
        typer.echo(f"hemx {hemx_core.__version__}")
        raise typer.Exit


def _root(
    version: Annotated[
        bool,
        typer.Option(
            "--version", callback=_print_version, is_eager=True, help="Print the version."
        ),
    ] = False,
) -> None:
    """Offline triage of brain haemorrhage on CT. Research software, not a medical device."""
