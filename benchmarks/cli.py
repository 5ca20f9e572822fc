"""`hemx benchmark` and `python -m benchmarks`: measure, compare, and hold against a budget."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

if TYPE_CHECKING:
    from benchmarks.harness.settings import Settings

FAILED_EXIT = 1
DEFAULT_ROUNDS, DEFAULT_CALLS = 5, 20
TINY_ROUNDS = 2

benchmark_app = typer.Typer(
    name="benchmark",
    help="Latency, memory and size of the bundle; peers; budgets. Every run is in fresh processes.",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
)

Bundle = Annotated[Path | None, typer.Option(help="Bundle; the app's by default.")]
Weights = Annotated[Path | None, typer.Option(help="Folder of the trained weights.")]
Threads = Annotated[str, typer.Option(help="Numbers of threads, with commas between.")]
Rounds = Annotated[
    int | None, typer.Option(min=1, help="Fresh processes of everything; 5 by default.")
]
Calls = Annotated[int, typer.Option(min=1, help="Timed calls in each process, at least.")]
Work = Annotated[Path | None, typer.Option(help="Folder of converted models and finished rounds.")]
Results = Annotated[
    Path | None, typer.Option(help="Folder of result files; the repository's by default.")
]
Tiny = Annotated[bool, typer.Option("--tiny", help="Narrow networks and two rounds: a test.")]


def register(app: typer.Typer) -> None:
    """Add `hemx benchmark`."""
    from benchmarks.graphs import cli as graphs_cli

    app.add_typer(benchmark_app, name="benchmark")
    graphs_cli.register(app)


@benchmark_app.command()
def run(
    bundle: Bundle = None,
    threads: Threads = "1,2",
    budget: Annotated[
        str | None, typer.Option(help="phone, tablet or desk; exit code 1 beyond it.")
    ] = None,
    out: Annotated[Path | None, typer.Option(help="Result file (JSON lines).")] = None,
    rounds: Rounds = None,
    work: Work = None,
    results: Results = None,
    tiny: Tiny = False,
) -> None:
    """Load, stages and whole studies of the bundle."""
    from benchmarks.run import judge_run, run_studies
    from hemx_core.device.budget import passes

    settings = _settings(bundle, None, threads, rounds, DEFAULT_CALLS, work, results, tiny)
    records = run_studies(settings, out=out)
    for one in records:
        figures = one["figures"]
        typer.echo(
            f"{one['what']}: {figures['study']['median']:.0f} ms (p95 {figures['study']['p95']:.0f}), "
            f"{figures['memory']['median']:.0f} MiB above base"
        )
    if budget is None:
        return
    verdicts = judge_run(records, budget)
    for what, several in verdicts.items():
        for one_line in several:
            found = "not known" if one_line.found is None else f"{one_line.found:.3g}"
            word = "ok" if one_line.passed else "OVER BUDGET"
            typer.echo(
                f"{what}: {one_line.line} {found} of {one_line.limit:g} {one_line.unit}: {word}"
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


@benchmark_app.command()
def peers(
    bundle: Bundle = None,
    weights: Weights = None,
    threads: Threads = "1,2",
    only: Annotated[
        str, typer.Option(help="Beginnings of contestants' names, with commas between.")
    ] = "",
    subjects: Annotated[
        str, typer.Option(help="Of segmenter, classifier and study, with commas between.")
    ] = "segmenter,classifier,study",
    rounds: Rounds = None,
    calls: Calls = DEFAULT_CALLS,
    work: Work = None,
    results: Results = None,
    tiny: Tiny = False,
) -> None:
    """The same trained graphs in every runtime: speed, memory, size, accuracy; goes on where it stopped."""
    from benchmarks.peers.contest import hold_contest
    from benchmarks.peers.goals import goals_table, outcomes

    settings = _settings(bundle, weights, threads, rounds, calls, work, results, tiny)
    records = hold_contest(settings, subjects=_split(subjects), names=_split(only))
    for one in records:
        typer.echo(f"{one['what']}: {_told(one)}")
    typer.echo(goals_table(outcomes(records)))


@benchmark_app.command()
def threads(
    bundle: Bundle = None,
    weights: Weights = None,
    rounds: Rounds = None,
    work: Work = None,
    results: Results = None,
    tiny: Tiny = False,
) -> None:
    """Batches, two instances, preparing ahead: what makes a study fastest on two cores."""
    from benchmarks.graphs.threads import compare_strategies

    settings = _settings(bundle, weights, "1,2", rounds, DEFAULT_CALLS, work, results, tiny)
    for one in compare_strategies(settings):
        typer.echo(f"{one['what']}: {_told(one)}")


@benchmark_app.command("growth-cost")
def growth_cost(
    bundle: Bundle = None,
    weights: Weights = None,
    threads: Threads = "1,2",
    rounds: Rounds = None,
    work: Work = None,
    results: Results = None,
    tiny: Tiny = False,
) -> None:
    """Time and memory against slices, input size and width, beside the machine's int8 peak."""
    from benchmarks.graphs.growth_cost import measure_growth

    settings = _settings(bundle, weights, threads, rounds, DEFAULT_CALLS, work, results, tiny)
    for one in measure_growth(settings):
        shown = (
            _told(one)
            if "call" in one["figures"]
            else f"{one['figures']['rate']['median']:.3g} GMAC/s"
        )
        typer.echo(f"{one['what']}: {shown}")


@benchmark_app.command()
def operators(
    bundle: Bundle = None,
    threads: Threads = "1,2",
    rounds: Rounds = None,
    work: Work = None,
    results: Results = None,
    tiny: Tiny = False,
) -> None:
    """Time by kind of XNNPACK operator, and memory by stage, of the bundle's programs."""
    from benchmarks.graphs.operators import measure_operators
    from benchmarks.pages.graphs import section

    settings = _settings(bundle, None, threads, rounds, DEFAULT_CALLS, work, results, tiny)
    typer.echo(section(measure_operators(settings)))


@benchmark_app.command()
def pareto(
    weights: Weights = None,
    threads: Threads = "1,2",
    rounds: Rounds = None,
    calls: Calls = DEFAULT_CALLS,
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
    work: Work = None,
    results: Results = None,
    tiny: Tiny = False,
) -> None:
    """AUC and Dice against time and memory, by merging, input, width, precision; goes on where it stopped."""
    from benchmarks.harness.records import RESULTS
    from benchmarks.pareto.plan import plan_for
    from benchmarks.pareto.report import reason
    from benchmarks.pareto.run import WORK, measure_front

    folder = None if tiny else RESULTS.parent
    settings = _settings(
        None, weights, threads, rounds, calls, work or WORK, results or folder, tiny
    )
    report = measure_front(
        settings,
        plan_for(tiny=tiny, steps=steps, inputs=_split(inputs), networks=_split(networks)),
        cohorts=cohorts,
        training_threads=training_threads,
        workers=workers,
        measure=measure,
    )
    for name, subject in (report or {"subjects": {}})["subjects"].items():
        typer.echo(f"{name}: {' '.join(reason(subject))}")


def _settings(
    bundle: Path | None,
    weights: Path | None,
    threads: str,
    rounds: int | None,
    calls: int,
    work: Path | None,
    results: Path | None,
    tiny: bool,
) -> Settings:
    from benchmarks.harness.records import RESULTS, WORK
    from benchmarks.harness.settings import Settings
    from hemx_core.errors import BenchmarkError

    try:
        counts = tuple(int(one) for one in threads.split(","))
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


def _told(record: dict[str, object]) -> str:
    from benchmarks.harness.tables import shown

    if not record["figures"]:
        return str(record["status"])
    return f"{shown(record, 'call', p95=True)}, {shown(record, 'memory')} above base"
