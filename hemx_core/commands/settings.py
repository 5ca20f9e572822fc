"""Options of a command made from the fields of a settings class.

A field is an option where its metadata holds `option`, a dictionary of

    help       what the option is for
    name       of the option, if not the field's; with an underscore behind it where it is a word of Python
    default    on the command line, if not the field's; None leaves the field as it is
    min        least value
    switch     a flag without its opposite: `--x`, and no `--no-x`

or `options`, such dictionaries by the name of a field inside: for fields that are settings themselves.
"""

from __future__ import annotations

import inspect
from collections.abc import Callable, Iterator, Mapping
from dataclasses import MISSING, dataclass, fields
from typing import Annotated, Any, Literal, get_args, get_origin, get_type_hints

import typer

Command = Callable[..., None]


@dataclass(frozen=True, slots=True)
class _Choice:
    """One option: the path of its field, and the parameter that Typer sees."""

    path: tuple[str, ...]
    parameter: inspect.Parameter


def with_options(
    defaults: Mapping[str, Any] | None = None, **settings: type[Any]
) -> Callable[[Command], Command]:
    """Replace parameters of a command by the options of settings classes.

    Args:
        defaults: of single options of this command, by name.
        settings: parameter of the command to the class that it takes; every field of the class that
            is no option has a default.
    """

    def decorate(command: Command) -> Command:
        choices = {name: list(_choices(cls, defaults or {})) for name, cls in settings.items()}
        parameters: list[inspect.Parameter] = []
        for parameter in inspect.signature(command, eval_str=True).parameters.values():
            made = choices.get(parameter.name)
            parameters += (
                [choice.parameter for choice in made]
                if made is not None
                else [parameter.replace(kind=inspect.Parameter.KEYWORD_ONLY)]
            )

        def run(**given: Any) -> None:
            built = {
                name: _build(cls, {c.path: given.pop(c.parameter.name) for c in choices[name]})
                for name, cls in settings.items()
            }
            command(**built, **given)

        run.__name__, run.__doc__ = command.__name__, command.__doc__
        run.__annotations__ = {each.name: each.annotation for each in parameters}
        run.__signature__ = inspect.Signature(parameters)  # type: ignore[attr-defined]
        return run

    return decorate


def _choices(cls: type[Any], defaults: Mapping[str, Any]) -> Iterator[_Choice]:
    hints = get_type_hints(cls)
    for field in fields(cls):
        if "option" in field.metadata:
            yield _choice((field.name,), hints, _default(field), field.metadata["option"], defaults)
        inside = field.metadata.get("options", {})
        if inside:
            whole = _default(field)
            inner = get_type_hints(type(whole))
            for name, about in inside.items():
                value = getattr(whole, name)
                yield _choice((field.name, name), inner, value, about, defaults)


def _choice(
    path: tuple[str, ...],
    hints: Mapping[str, Any],
    default: Any,
    about: Mapping[str, Any],
    defaults: Mapping[str, Any],
) -> _Choice:
    kind = hints[path[-1]]
    if (
        get_origin(kind) is Literal
    ):  # the settings class refuses other words, and says which it takes
        kind = type(get_args(kind)[0])
    name = about.get("name", path[-1])
    shown = defaults.get(name, about.get("default", default))
    plain = name.endswith("_") or about.get("switch")
    names = [f"--{name.rstrip('_').replace('_', '-')}"] if plain else []
    option = typer.Option(*names, help=about["help"], min=about.get("min"))
    return _Choice(
        path,
        inspect.Parameter(
            name,
            inspect.Parameter.KEYWORD_ONLY,
            default=shown,
            annotation=Annotated[kind if shown is not None else kind | None, option],
        ),
    )


def _default(field: Any) -> Any:
    return field.default if field.default_factory is MISSING else field.default_factory()


def _build(cls: type[Any], values: Mapping[tuple[str, ...], Any]) -> Any:
    """Settings with the values given; None leaves a field as it is."""
    given: dict[str, Any] = {}
    inside: dict[str, dict[str, Any]] = {}
    for path, value in values.items():
        if value is None:
            continue
        if len(path) == 1:
            given[path[0]] = value
        else:
            inside.setdefault(path[0], {})[path[1]] = value
    known = {field.name: field for field in fields(cls)}
    for name, changed in inside.items():
        whole = _default(known[name])
        kept = {each.name: getattr(whole, each.name) for each in fields(whole) if each.init}
        given[name] = type(whole)(**(kept | changed))
    return cls(**given)
