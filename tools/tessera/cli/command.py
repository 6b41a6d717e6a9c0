"""What every task shares: errors become one sentence and an exit code; reports go to the terminal and to JSON."""

from __future__ import annotations

import functools
import json
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any, ParamSpec

from invoke.exceptions import Exit
from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn

from tessera.errors import BadInput, TesseraError

P = ParamSpec("P")

console = Console()
errors = Console(stderr=True)


def command(task: Callable[P, None]) -> Callable[P, None]:
    """Runs a task; a TesseraError ends it with its sentence and its exit code, without a traceback."""

    @functools.wraps(task)
    def guarded(*args: P.args, **kwargs: P.kwargs) -> None:
        try:
            task(*args, **kwargs)
        except TesseraError as error:
            raise Exit(f"error: {error}", code=error.exit_code) from None
        except KeyboardInterrupt:
            raise Exit("interrupted", code=130) from None

    return guarded


def progress(total: int, what: str) -> tuple[Progress, Callable[[str], None]]:
    """A progress bar on stderr, gone when done, and the function that advances it, saying what comes next."""
    bar = _bar()
    job = bar.add_task(what, total=total)

    def advance(next_step: str) -> None:
        bar.update(job, advance=1, description=next_step)

    return bar, advance


@contextmanager
def searching(what: str) -> Iterator[Callable[[str, int, int], None]]:
    """A progress bar for a search that says (step, done, of) as it goes from step to step; gone when done."""
    bar = _bar()
    job = bar.add_task(what, total=None)

    def progress(step: str, done: int, of: int) -> None:
        bar.update(job, completed=done, total=of, description=f"{what}: {step}")

    with bar:
        yield progress


def _bar() -> Progress:
    return Progress(
        TextColumn("{task.description}"),
        BarColumn(),
        MofNCompleteColumn(),
        TimeElapsedColumn(),
        console=errors,
        transient=True,
        disable=not errors.is_terminal,
    )


def write_json(path: str, report: Mapping[str, Any]) -> None:
    if path:
        write_file(Path(path), json.dumps(report, indent=2) + "\n")


def write_file(path: Path, text: str) -> None:
    """Writes a result so that no half of it is ever seen."""
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        partial = path.with_name(path.name + ".partial")
        partial.write_text(text)
        partial.replace(path)
    except OSError as error:
        raise BadInput(f"{path}: cannot be written: {error.strerror}") from None


def kilo(count: int) -> str:
    """1 234 567 -> '1.23 M'; bytes and instructions alike, powers of ten."""
    for limit, unit in ((1e9, "G"), (1e6, "M"), (1e3, "k")):
        if abs(count) >= limit:
            return f"{count / limit:.2f} {unit}"
    return f"{count} "
