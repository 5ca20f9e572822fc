"""`hemx benchmark` and `python -m benchmarks`: measure, compare, hold against a budget, fill the pages."""

# No annotations from __future__: `measuring` reads the types of options from the signatures.

import functools
import importlib
import inspect
import sys
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer
from typer.core import TyperCommand, TyperGroup

if TYPE_CHECKING:
    from benchmarks.harness.settings import Settings

FAILED_EXIT = 1
DEFAULT_ROUNDS, DEFAULT_CALLS = 5, 20
TINY_ROUNDS = 2
ELSEWHERE = {
    "pages": ("pages.fill:pages", "Fill the documents' figures from the result files; --check."),
    "app": ("app.cli:app_benchmarks", "What the app promises, measured on the real app."),
    "screenshots": ("app.screenshots:main", "Pictures of the app's screens."),
    "growth": ("accuracy.growth:app", "Haematoma expansion, where the truth is known."),
    "intervals": (
        "accuracy.intervals:main",
        "Intervals of volume and growth, from errors of folds.",
    ),
    "signs": ("accuracy.signs:main", "The rule-based signs on phantoms."),
    "world": ("world.cli:main", "What the world hands in: right, refused, or said."),
    "robustness": (
        "robustness.cli:main",
        "Damaged, hostile, killed, full, planted names: nothing lost, in or out.",
    ),
    "insertion-picture": (
        "accuracy.insertion_picture:main",
        "Inserted haematomas beside real ones, as a contact sheet.",
    ),
    "folds": ("folds.cli:app", "Both networks in folds by patient over all real patients."),
    "lesion-realism": (
        "accuracy.lesion_realism:main",
        "Whether resynthesised haematomas can be told from real ones.",
    ),
    "self-test-margins": (
        "graphs.self_test_margins:main",
        "How far rounding and faults move the self-test.",
    ),
    "fold-gain": ("graphs.cli:fold_gain_command", "What each folding pass gains."),
    "layouts": ("graphs.cli:layouts_command", "Two files, two methods, one joint forward."),
    "layer-error": ("graphs.cli:layer_error_command", "Every int8 operator beside float32."),
    "flip-test": ("graphs.cli:flip_bits", "Every flipped bit of a bundle must be refused."),
    "experiment": ("paper.cli:experiment", "The paper's experiments."),
}
"""Commands of other modules, which are imported when they are run: `module:name` and a line of help."""


class _Later(TyperCommand):
    """A command that is imported when it is run."""

    def __init__(self, name: str) -> None:
        self._place, text = ELSEWHERE[name]
        super().__init__(name, help=text)

    def make_context(self, *given: Any, **named: Any) -> Any:
        """The context of the command itself."""
        module, _, name = self._place.partition(":")
        found = getattr(importlib.import_module(f"benchmarks.{module}"), name)
        if not isinstance(found, typer.Typer):
            command, found = found, typer.Typer(add_completion=False)
            found.command()(command)
        return typer.main.get_command(found).make_context(*given, **named)


class _Commands(TyperGroup):
    """The commands of this module and those of `ELSEWHERE`."""

    def __init__(self, **given: Any) -> None:
        super().__init__(**given)
        self.commands.update({name: _Later(name) for name in ELSEWHERE})


benchmark_app = typer.Typer(
    name="benchmark",
    cls=_Commands,
    help="Measure speed, memory and accuracy; the paper's experiments.",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
)

OPTIONS: dict[str, tuple[Any, Any]] = {
    "bundle": (Annotated[Path | None, typer.Option(help="Bundle; the app's by default.")], None),
    "weights": (Annotated[Path | None, typer.Option(help="Folder of the trained weights.")], None),
    "threads": (
        Annotated[str, typer.Option(help="Numbers of threads, with commas between.")],
        "1,2",
    ),
    "rounds": (
        Annotated[
            int | None, typer.Option(min=1, help="Fresh processes of everything; 5 by default.")
        ],
        None,
    ),
    "calls": (
        Annotated[int, typer.Option(min=1, help="Timed calls in each process, at least.")],
        DEFAULT_CALLS,
    ),
    "work": (
        Annotated[
            Path | None, typer.Option(help="Folder of converted models and finished rounds.")
        ],
        None,
    ),
    "results": (
        Annotated[
            Path | None, typer.Option(help="Folder of result files; the repository's by default.")
        ],
        None,
    ),
    "tiny": (
        Annotated[bool, typer.Option("--tiny", help="Narrow networks and two rounds: a test.")],
        False,
    ),
}
"""What every measuring command takes: type and default, by name."""


def register(app: typer.Typer) -> None:
    """Add `hemx benchmark`."""
    app.add_typer(benchmark_app, name="benchmark")


def measuring(
    *without: str, name: str | None = None, **defaults: Any
) -> Callable[[Callable[..., None]], Any]:
    """Make a command of a function whose first argument is `Settings`: it takes `OPTIONS` besides its own.

    Args:
        without: names of options that mean nothing to it.
        name: of the command; the function's by default.
        **defaults: of options, where they are not those of the others.
    """

    def wrap(function: Callable[..., None]) -> Callable[..., None]:
        shared = {key: option for key, option in OPTIONS.items() if key not in without}
        own = list(inspect.signature(function).parameters.values())[1:]

        @functools.wraps(function)
        def command(**given: Any) -> None:
            chosen = {key: given.pop(key) if key in given else OPTIONS[key][1] for key in OPTIONS}
            function(_settings(**chosen), **given)

        parameters = [
            inspect.Parameter(
                key,
                inspect.Parameter.KEYWORD_ONLY,
                default=defaults.get(key, default),
                annotation=kind,
            )
            for key, (kind, default) in shared.items()
        ]
        parameters += [parameter.replace(kind=inspect.Parameter.KEYWORD_ONLY) for parameter in own]
        command.__signature__ = inspect.Signature(parameters)  # type: ignore[attr-defined]
        command.__annotations__ = {parameter.name: parameter.annotation for parameter in parameters}
        benchmark_app.command(name)(command)
        return command

    return wrap


@measuring("weights", "calls")
def run(
    settings: "Settings",
    budget: Annotated[
        str | None, typer.Option(help="phone, tablet or desk; exit code 1 beyond it.")
    ] = None,
    out: Annotated[Path | None, typer.Option(help="Result file (JSON lines).")] = None,
) -> None:
    """Load, stages and whole studies of the bundle."""
    from benchmarks.run import judge_run, run_studies
    from hemx_core.device.budget import passes

    records = run_studies(settings, out=out)
    for record in records:
        figures = record["figures"]
        typer.echo(
            f"{record['what']}: {figures['study']['median']:.0f} ms (p95 {figures['study']['p95']:.0f}), "
            f"{figures['memory']['median']:.0f} MiB above base"
        )
    if budget is None:
        return
    verdicts = judge_run(records, budget)
    for what, several in verdicts.items():
        for verdict in several:
            found = "not known" if verdict.found is None else f"{verdict.found:.3g}"
            word = "ok" if verdict.passed else "OVER BUDGET"
            typer.echo(
                f"{what}: {verdict.line} {found} of {verdict.limit:g} {verdict.unit}: {word}"
            )
    if not all(passes(several) for several in verdicts.values()):
        raise typer.Exit(FAILED_EXIT)


@benchmark_app.command()
def compare(
    before: Annotated[Path, typer.Argument(help="Result file.")],
    after: Annotated[Path, typer.Argument(help="Result file of the same command.")],
    any_outputs: Annotated[
        bool, typer.Option("--any-outputs", help="Also where outputs differ (another bundle).")
    ] = False,
) -> None:
    """Ratios of two result files; exit code 1 if a figure has become worse beyond noise."""
    from benchmarks.harness import records as comparison
    from hemx_core.device.record import read_records

    changes = comparison.compare(read_records(before), read_records(after), any_outputs=any_outputs)
    for text in comparison.lines(changes):
        typer.echo(text)
    worse = comparison.regressions(changes)
    typer.echo(f"{len(worse)} of {len(changes)} figures worse beyond noise")
    if worse:
        raise typer.Exit(FAILED_EXIT)


@measuring()
def peers(
    settings: "Settings",
    only: Annotated[
        str, typer.Option(help="Beginnings of contestants' names, with commas between.")
    ] = "",
    subjects: Annotated[
        str, typer.Option(help="Of segmenter, classifier and study, with commas between.")
    ] = "segmenter,classifier,study",
) -> None:
    """The same trained graphs in every runtime: speed, memory, size, accuracy; goes on where it stopped."""
    from benchmarks.peers.contest import hold_contest
    from benchmarks.peers.goals import goals_table, outcomes

    records = hold_contest(settings, subjects=_split(subjects), names=_split(only))
    _tell(records)
    typer.echo(goals_table(outcomes(records)))


@measuring("threads", "calls")
def threads(settings: "Settings") -> None:
    """Batches, two instances, preparing ahead: what makes a study fastest on two cores."""
    from benchmarks.graphs.threads import compare_strategies

    _tell(compare_strategies(settings))


@measuring("calls", name="growth-cost")
def growth_cost(settings: "Settings") -> None:
    """Time and memory against slices, input size and width, beside the machine's int8 peak."""
    from benchmarks.graphs.growth_cost import measure_growth

    _tell(measure_growth(settings))


@measuring("weights", "calls")
def operators(settings: "Settings") -> None:
    """Time by kind of XNNPACK operator, and memory by stage, of the bundle's programs."""
    from benchmarks.graphs.operators import measure_operators
    from benchmarks.harness.markdown import render
    from benchmarks.pages.performance import operator_facts

    typer.echo(render("operators", **operator_facts(measure_operators(settings))))


@measuring("bundle", work=Path("runs/pareto"))
def pareto(
    settings: "Settings",
    steps: Annotated[int | None, typer.Option(min=1, help="Of every training.")] = None,
    inputs: Annotated[
        str, typer.Option(help="Classifier inputs such as crop-128,slice-256; all by default.")
    ] = "",
    networks: Annotated[
        str, typer.Option(help="Trainings such as ll-crop-96-w0.25; all by default.")
    ] = "",
    cohorts: Annotated[
        Path, typer.Option(help="Folder of the cohorts `inserted` and `cohort`.")
    ] = Path("runs"),
    training_threads: Annotated[int, typer.Option(min=1, help="Of trainings and scores.")] = 2,
    workers: Annotated[int, typer.Option(min=1, help="Processes that build cohorts.")] = 1,
    measure: Annotated[
        bool, typer.Option(help="Time the programs; without, the next run does.")
    ] = True,
) -> None:
    """AUC and Dice against time and memory, by merging, input, width, precision; goes on where it stopped."""
    from benchmarks.harness.records import RESULTS
    from benchmarks.pareto.plan import plan_for
    from benchmarks.pareto.report import points_table
    from benchmarks.pareto.run import measure_front

    if settings.results == RESULTS:
        settings = replace(settings, results=RESULTS.parent)
    report = measure_front(
        settings,
        plan_for(tiny=settings.tiny, steps=steps, inputs=_split(inputs), networks=_split(networks)),
        cohorts=cohorts,
        training_threads=training_threads,
        workers=workers,
        measure=measure,
    )
    for name, subject in (report or {"subjects": {}})["subjects"].items():
        typer.echo(f"{name}\n\n{points_table(subject, front_only=True)}\n")


def _settings(
    bundle: Path | None,
    weights: Path | None,
    threads: str,
    rounds: int | None,
    calls: int,
    work: Path | None,
    results: Path | None,
    tiny: bool,
) -> "Settings":
    from benchmarks.harness.records import RESULTS, WORK
    from benchmarks.harness.settings import Settings
    from hemx_core.errors import BenchmarkError

    try:
        counts = tuple(map(int, threads.split(",")))
    except ValueError as error:
        raise BenchmarkError(
            f"threads {threads!r}", expected="numbers such as 1,2", remedy="correct --threads"
        ) from error
    folder = work or WORK
    return Settings(
        bundle=bundle,
        weights=weights,
        threads=counts,
        rounds=rounds or (TINY_ROUNDS if tiny else DEFAULT_ROUNDS),
        calls=min(calls, 3) if tiny else calls,
        work=folder,
        # A test must not overwrite the repository's figures.
        results=results or (folder / "results" if tiny else RESULTS),
        tiny=tiny,
        tell=lambda message: print(f"benchmark: {message}", file=sys.stderr, flush=True),
    )


def _split(text: str) -> tuple[str, ...]:
    return tuple(part.strip() for part in text.split(",") if part.strip())


def _tell(records: list[dict[str, Any]]) -> None:
    from benchmarks.harness.markdown import number, shown

    for record in records:
        figures = record["figures"]
        if "call" in figures:
            text = f"{shown(record, 'call', p95=True)}, {shown(record, 'memory')} above base"
        elif "rate" in figures:
            text = number(figures["rate"]["median"], "GMAC/s")
        else:
            text = record["status"]
        typer.echo(f"{record['what']}: {text}")
