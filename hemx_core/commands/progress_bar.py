"""A progress bar for commands, as the `Progress` callback that the core takes."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from hemx_core.costs import Progress


@contextmanager
def progress_bar(*, shown: bool) -> Iterator[Progress | None]:
    """A bar on stderr with a line for each stage; None where it is not to be shown."""
    if not shown:
        yield None
        return
    from rich.console import Console
    from rich.progress import Progress as Bar
    from rich.progress import TaskID

    tasks: dict[str, TaskID] = {}
    with Bar(console=Console(stderr=True), transient=True) as bar:

        def tell(stage: str, done: int, total: int) -> None:
            if stage not in tasks:
                tasks[stage] = bar.add_task(stage.capitalize(), total=total)
            bar.update(tasks[stage], completed=done)

        yield tell
