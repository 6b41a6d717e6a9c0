"""`profile`: what every step executes on the simulator, and what that would take on Cortex-M4 and M7, estimated."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from rich.box import SIMPLE_HEAD
from rich.table import Table

from tessera.board import Board, load_board
from tessera.cli.build import firmware
from tessera.cli.choices import Choices, compile_for
from tessera.cli.command import console, progress, write_file, write_json
from tessera.cli.run import read_inputs
from tessera.errors import BadInput
from tessera.firmware.build import Firmware
from tessera.models import find_model
from tessera.oracle.inputs import test_inputs
from tessera.pipeline import Compiled
from tessera.profile.decode import Kind
from tessera.profile.hot import HotBlock, hot_blocks
from tessera.profile.plugin import plugin
from tessera.profile.profile import CORES, Part, Profile, Tally, make_profile
from tessera.profile.trace import Trace, trace
from tessera.report.profile_bars import bars_svg
from tessera.report.profile_flame import INSTRUCTIONS, flame_svg, measured
from tessera.report.svg import fit, short_names

BAR = 8  # characters of the longest bar in the terminal
WIDE = 120  # columns of a terminal that has room for everything
BARS = 100  # of one that has room for bars
PADDING = 3  # columns between two cells
EIGHTHS = " ▏▎▍▌▋▊▉"


@dataclass(frozen=True, slots=True)
class Shown:
    """What to show of a profile beside its tables; files where a text is not empty."""

    by: str = INSTRUCTIONS  # or one of CORES
    hot: int = 0  # blocks to list
    svg: str = ""
    bars: str = ""
    json: str = ""


def profile_model(model: str, board_name: str, choices: Choices, image: str, seed: int, shown: Shown) -> None:
    by = shown.by
    if by not in (INSTRUCTIONS, *CORES):
        raise BadInput(f"--by {by}: must be {', '.join((INSTRUCTIONS, *CORES))}")
    board = load_board(board_name)
    plugin()  # says what is missing before anything takes time
    compiled = compile_for(find_model(model), board, choices)
    image_file = firmware(compiled, board, simulated=True)
    inputs = read_inputs(compiled.graph, image) if image else test_inputs(compiled.graph, 1, seed)[0]
    found, profile = _measure(compiled, board, image_file, [a.tobytes() for a in inputs])
    report = profile_report(compiled, board, image_file, profile)
    _show(report, profile, by)
    _list(hot_blocks(found, board.cpu if by == INSTRUCTIONS else by, shown.hot))
    title = f"{compiled.model.name} on {board.name}"
    for path, text in ((shown.svg, flame_svg(profile, title, by)), (shown.bars, bars_svg(profile, title))):
        if path:
            write_file(Path(path), text)
            console.print(f"chart   in {path}", highlight=False)
    write_json(shown.json, report)


def _measure(compiled: Compiled, board: Board, image: Firmware, inputs: list[bytes]) -> tuple[Trace, Profile]:
    bar, advance = progress(2, f"running {compiled.model.name} on {board.name} (simulated) twice")
    with bar:
        found = trace(board, image.elf, inputs)
        advance("estimating cycles")
        return found, make_profile(found, compiled.kernels)


def profile_report(compiled: Compiled, board: Board, image: Firmware, profile: Profile) -> dict[str, Any]:
    """Instructions are counted, cycles estimated (docs/cycle_model.md); neither is a time."""
    macs = sum(step.macs for step in profile.steps)
    return {
        "model": compiled.model.name,
        "board": board.name,
        "cpu": board.cpu,
        "elf": str(image.elf),
        "macs": macs,
        "stack_bytes": profile.stack_bytes,
        "estimated": "cycles of each core by docs/cycle_model.md, memory without wait states",
        "total": _tally(profile.total),
        "engine": _part(profile, profile.engine),
        "steps": [
            {
                "step": n,
                "operator": step.operator,
                "kind": step.kind,
                "kernel": step.kernel,
                "macs": step.macs,
                "stack_bytes": step.stack_bytes,
                **_part(profile, step.part),
            }
            for n, step in enumerate(profile.steps)
        ],
        "kernels": [
            {"kernel": kernel, "steps": count, "macs": total_macs, **_tally(tally)}
            for kernel, (count, total_macs, tally) in profile.kernels().items()
        ],
    }


def _part(profile: Profile, part: Part) -> dict[str, Any]:
    return {
        **_tally(part.total),
        "memory_loads": dict(zip(profile.memories, part.loads, strict=True)),
        "memory_stores": dict(zip(profile.memories, part.stores, strict=True)),
        "functions": [{"function": name, **_tally(tally)} for name, tally in part.functions],
    }


def _tally(tally: Tally) -> dict[str, Any]:
    return {
        "instructions": tally.instructions,
        **{kind.value: tally.kinds.get(kind, 0) for kind in Kind},
        "branches_taken": tally.taken,
        "unaligned_accesses": tally.unaligned,
        "estimated_cycles": {core: round(tally.cycles.get(core, 0.0)) for core in CORES},
    }


def _show(report: dict[str, Any], profile: Profile, by: str) -> None:
    console.print(_steps_table(report, profile, by))
    console.print(_kernels_table(report))
    total, engine = report["total"], report["engine"]
    kinds = ", ".join(f"{kind.value} {_share(total[kind.value], total['instructions'])}" for kind in Kind)
    functions = ", ".join(f"{f['function']} {_short(f['instructions'])}" for f in engine["functions"][:4])
    cycles = ", ".join(f"{core} {_short(n)}" for core, n in total["estimated_cycles"].items())
    console.print(
        f"run     {total['instructions']:,} instructions{_per_mac(total['instructions'], report['macs'])}: {kinds}\n"
        f"engine  {engine['instructions']:,} of them outside kernels"
        f" ({_share(engine['instructions'], total['instructions'])}): {functions or 'nothing'}\n"
        f"cycles  {cycles}: estimated, with memory that never waits\n"
        f"stack   {report['stack_bytes']:,} B at its deepest",
        highlight=False,
    )


def _steps_table(report: dict[str, Any], profile: Profile, by: str) -> Table:
    """What a narrow terminal has no room for is in the JSON and in the charts."""
    kinds = (Kind.LOAD, Kind.STORE, Kind.BRANCH) if console.width >= WIDE else ()
    widths = [measured(step.part.total, by) for step in profile.steps]
    rows = [
        (
            str(row["step"]),
            _short(row["instructions"]),
            f"{row['instructions'] / row['macs']:.2f}" if row["macs"] else "",
            *(_short(row[kind.value]) for kind in kinds),
            *(_short(row["estimated_cycles"][core]) for core in CORES),
            f"{row['stack_bytes']:,}",
            *((_bar(width / max(*widths, 1.0)),) if console.width >= BARS else ()),
        )
        for row, width in zip(report["steps"], widths, strict=True)
    ]
    head = (
        "step",
        "instr.",
        "/MAC",
        *(kind.value for kind in kinds),
        "~M4",
        "~M7",
        "stack",
        *([""] if console.width >= BARS else []),
    )
    room = _room(head, rows, columns=2)  # for name and kernel
    table = Table(title=f"{report['model']} on {report['board']}, by {by}", title_justify="left", box=SIMPLE_HEAD)
    for name in (head[0], "name", "kernel", *head[1:]):
        table.add_column(name, justify="left" if name in ("name", "kernel", "") else "right", no_wrap=True)
    names = short_names([row["operator"] for row in report["steps"]])
    for row, name, cells in zip(report["steps"], names, rows, strict=True):
        texts = (fit(name, room // 2), fit(row["kernel"].removeprefix("tess_"), room - room // 2))
        table.add_row(cells[0], *texts, *cells[1:])
    return table


def _kernels_table(report: dict[str, Any]) -> Table:
    head = ("steps", "MACs", "instr.", "share", "/MAC", "~M4/MAC", "~M7/MAC")
    rows = []
    for row in report["kernels"]:
        macs = row["macs"]
        each = [f"{n / macs:.2f}" if macs else "" for n in (row["instructions"], *row["estimated_cycles"].values())]
        share = _share(row["instructions"], report["total"]["instructions"])
        counts = (str(row["steps"]), _short(macs) if macs else "", _short(row["instructions"]))
        rows.append((*counts, share, *each))
    table = Table(title="by kernel", title_justify="left", box=SIMPLE_HEAD)
    for name in ("kernel", *head):
        table.add_column(name, justify="left" if name == "kernel" else "right", no_wrap=True)
    room = _room(head, rows, columns=1)
    for row, cells in zip(report["kernels"], rows, strict=True):
        table.add_row(fit(row["kernel"].removeprefix("tess_"), room), *cells)
    return table


def _room(head: Sequence[str], rows: Sequence[Sequence[str]], columns: int) -> int:
    """Characters that the terminal has for further columns, beside these cells."""
    taken = sum(PADDING + max(map(len, column)) for column in zip(head, *rows, strict=True))
    return max(console.width - taken - columns * PADDING - 1, 10 * columns)


def _list(blocks: tuple[HotBlock, ...]) -> None:
    """Each instruction with the estimated cycles that it adds; two that go together have half a cycle each."""
    for block in blocks:
        each = [cycles / block.count for cycles in block.cycles]
        console.print(
            f"\n{block.function} at 0x{block.address:x}, {block.count:,} runs, {block.taken:,} followed by a jump\n"
            f"   ~M4   ~M7   cycles: {each[0]:.1f} and {each[1]:.1f} a run",
            highlight=False,
        )
        for line in block.lines:
            console.print("".join(f"{c:6.1f}" for c in line.cycles) + f"   {line.text}", highlight=False, markup=False)


def _bar(share: float) -> str:
    eighths = round(8 * BAR * share)
    return "█" * (eighths // 8) + EIGHTHS[eighths % 8].strip()


def _share(part: int, whole: int) -> str:
    return f"{100 * part / max(whole, 1):.1f} %"


def _per_mac(count: int, macs: int) -> str:
    return f" ({count / macs:.2f} per MAC)" if macs else ""


def _short(count: int) -> str:
    """1234567 -> 1.23M"""
    for limit, unit in ((10**9, "G"), (10**6, "M"), (10**3, "k")):
        if count >= limit:
            return f"{count / limit:.3g}{unit}"
    return str(count)
