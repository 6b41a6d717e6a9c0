"""Boards as boards/*.json describe them: the one place with memory sizes."""

import json
from dataclasses import dataclass
from itertools import pairwise
from pathlib import Path
from typing import Any

from tessera.errors import BadInput

BOARDS_DIR = Path(__file__).resolve().parents[2] / "boards"
GUARD_BYTES = 32
"""Of no-access memory below the stack."""


@dataclass(frozen=True)
class Region:
    """A memory of the chip."""

    name: str
    kind: str
    """`flash` or `ram`."""
    origin: int
    bytes: int


@dataclass(frozen=True)
class BoardMemory:
    """A region as a model may use it."""

    name: str
    limit_bytes: int
    """What is left of it beside the stack and static data."""
    cost: int
    """Of an access, relative to the board's other memories: estimated, not measured."""


@dataclass(frozen=True)
class Simulator:
    """The QEMU machine that stands in for the board, with the same regions at its own addresses."""

    machine: str
    args: tuple[str, ...]
    origins: tuple[tuple[str, int], ...]
    unit: str
    """What the step counter counts: `instructions`; never a time."""


@dataclass(frozen=True)
class Board:
    name: str
    title: str
    cpu: str
    cpu_flags: tuple[str, ...]
    """Of the compiler."""
    isa: str
    clock_hz: int
    regions: tuple[Region, ...]
    code_region: str
    data_region: str
    stack_region: str
    arena_region: str
    memories: tuple[BoardMemory, ...]
    """Those that a model may use, the one to fill first in front."""
    stack_bytes: int
    data_bytes: int
    """Kept free for .data and .bss beside the arena; the linker refuses more."""
    simulator: Simulator
    env: str
    """PlatformIO environment of the chip; of a board that is a simulator, the same as `sim_env`."""
    sim_env: str

    def region(self, name: str) -> Region:
        return next(region for region in self.regions if region.name == name)

    @property
    def flash_bytes(self) -> int:
        return self.region(self.code_region).bytes

    @property
    def arena_limit_bytes(self) -> int:
        """What all memories together have for a model."""
        return sum(m.limit_bytes for m in self.memories)

    @property
    def is_simulator(self) -> bool:
        """There is no such chip: the machine itself is the board."""
        return self.env == self.sim_env


def board_names() -> list[str]:
    """Every board there is, in alphabetical order."""
    return sorted(path.stem for path in BOARDS_DIR.glob("*.json"))


def _memories(ours: dict[str, Any]) -> tuple[BoardMemory, ...]:
    sizes, place = {r["name"]: r["bytes"] for r in ours["regions"]}, ours["place"]
    memories = []
    for memory in ours["memories"]:
        limit = sizes[memory["region"]]
        if memory["region"] == place["stack"]:
            limit -= ours["stack_bytes"] + GUARD_BYTES
        if memory["region"] == place["data"]:
            limit -= ours["data_bytes"]
        memories.append(BoardMemory(memory["region"], limit - limit % 16, memory["cost"]))
    return tuple(memories)


def load_board(name: str) -> Board:
    if name not in board_names():
        raise BadInput(f"There is no board {name!r}; the boards are {', '.join(board_names())}.")
    manifest: dict[str, Any] = json.loads((BOARDS_DIR / f"{name}.json").read_text())
    ours = manifest["tessera"]
    simulator = ours["simulator"]
    place = ours["place"]
    board = Board(
        name=name,
        title=ours["title"],
        cpu=manifest["build"]["cpu"],
        cpu_flags=(f"-mcpu={manifest['build']['cpu']}", *manifest["build"]["fpu_flags"].split()),
        isa=ours["isa"],
        clock_hz=int(manifest["build"]["f_cpu"].rstrip("L")),
        regions=tuple(Region(r["name"], r["kind"], int(r["origin"], 0), r["bytes"]) for r in ours["regions"]),
        code_region=place["code"],
        data_region=place["data"],
        stack_region=place["stack"],
        arena_region=place["arena"],
        memories=_memories(ours),
        stack_bytes=ours["stack_bytes"],
        data_bytes=ours["data_bytes"],
        simulator=Simulator(
            machine=simulator["machine"],
            args=tuple(simulator["args"]),
            origins=tuple((region, int(origin, 0)) for region, origin in simulator["origins"].items()),
            unit=simulator["unit"],
        ),
        env=name,
        sim_env=name if ours["port"] == simulator["port"] else f"{name}-sim",
    )
    verify_board(board)
    return board


def verify_board(board: Board) -> None:
    """Regions are apart, on the chip and in its twin, and every use names one of the right kind."""
    names = [region.name for region in board.regions]
    assert len(set(names)) == len(names), board.name
    assert {name for name, _ in board.simulator.origins} == set(names), board.name
    assert board.region(board.code_region).kind == "flash", board.name
    for use in (board.data_region, board.stack_region, board.arena_region):
        assert board.region(use).kind == "ram", board.name
    for origins in ({r.name: r.origin for r in board.regions}, dict(board.simulator.origins)):
        spans = sorted((origins[r.name], origins[r.name] + r.bytes) for r in board.regions)
        for (_, end), (start, _) in pairwise(spans):
            assert end <= start, board.name
    memories = [m.name for m in board.memories]
    assert board.arena_region in memories, board.name
    assert len(set(memories)) == len(memories), board.name
    assert all(board.region(m.name).kind == "ram" and m.limit_bytes > 0 for m in board.memories), board.name
    assert [m.cost for m in board.memories] == sorted(m.cost for m in board.memories), board.name
