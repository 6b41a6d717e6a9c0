"""`bench` on one small model: what it measures and the page that it writes."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from tessera.bench.goals import GOALS, Goal
from tessera.bench.measure import INPUTS, GoalMeasurement, Measurement, measure, measure_goal
from tessera.bench.peers import PEER_POINTS, TFLM, best_peer
from tessera.bench.speed import Speed
from tessera.cli.bench import below, bench, render
from tessera.errors import BadInput, CorruptModel
from tessera.schedule.schedule import InputMode

ONCE = Goal("small", InputMode.STREAMED, 1.0)


@pytest.fixture(scope="module")
def path(small_model: bytes, tmp_path_factory: pytest.TempPathFactory) -> str:
    path = tmp_path_factory.mktemp("bench") / "small.tflite"
    path.write_bytes(small_model)
    return str(path)


@pytest.fixture(scope="module")
def layers(path: str) -> Measurement:
    return measure(path)


def row(page: str, begin: str) -> list[str]:
    """Cells of the only line of a page that begins so."""
    (line,) = (line for line in page.splitlines() if line.startswith(begin))
    return [cell.strip(" *") for cell in line.split("|")[1:-1]]


def section(page: str, heading: str) -> str:
    """From a heading of the second order to the next."""
    return page[page.index(f"## {heading}") :].split("\n## ")[0]


def columns(page: str, heading: str) -> list[str]:
    """Of the first table below a heading."""
    below_it = page[page.index(f"## {heading}") :]
    return next([c.strip() for c in line.split("|")[1:-1]] for line in below_it.splitlines() if line.startswith("|"))


@pytest.mark.qemu
def test_a_measured_model_becomes_a_row(layers: Measurement, path: str) -> None:
    again = replace(measure(path), compile_s=layers.compile_s, compile_mb=layers.compile_mb)  # these may differ
    assert layers.m4["schedule"] == "layerwise"
    assert layers.m4["instructions"] == again.m4["instructions"] > layers.m4["macs"]
    assert layers.m4["inputs"] == INPUTS
    assert layers.m4["equal"] == layers.m4["tensors"]
    assert layers.h7 is not None
    page = render("measurements.md.jinja2", [layers], [], ["other: is refused"])
    assert page == render("measurements.md.jinja2", [again], [], ["other: is refused"])
    for heading in ("Speed", "Flash", "Memory, layer by layer", "Equality"):
        assert len(row(section(page, heading), "| small |")) == len(columns(page, heading))
    speed, fast = row(section(page, "Speed"), "| small |"), layers.speed
    assert speed[1:3] == [f"{fast.macs:,}", f"{fast.m4_instructions / 1000:,.0f}"]
    assert abs(fast.m4_instructions - layers.m4["instructions"]) < 0.02 * fast.m4_instructions
    assert fast.m7_instructions is not None
    assert abs(fast.m7_instructions - fast.m4_instructions) < 0.02 * fast.m4_instructions
    assert fast.m4_cycles > fast.m4_instructions
    flash = row(section(page, "Flash"), "| small |")
    assert flash[1:3] == [f"{fast.constants_bytes:,}", f"{fast.file_bytes:,}"]
    assert row(section(page, "Memory, layer"), "| small |")[1] == f"{layers.m4['arena_bytes']:,}"
    tensors = str(layers.m4["tensors"])
    assert row(section(page, "Equality"), "| small |")[1:5] == [tensors, str(INPUTS), tensors, tensors]
    for h7, said in ((None, "does not fit"), ({**layers.h7, "schedule": "streamed"}, f"{tensors}, streamed")):
        other = render("measurements.md.jinja2", [replace(layers, h7=h7)], [], [])
        assert row(section(other, "Equality"), "| small |")[4] == said
    assert "* other: is refused" in page
    assert "Memory, streamed" not in page


@pytest.mark.qemu
def test_a_goal_becomes_a_row_beside_its_layers(layers: Measurement, path: str) -> None:
    measured = measure_goal(path, ONCE, layers)
    report = measured.report
    assert report is not None
    assert report["arena_bytes"] < layers.m4["arena_bytes"]
    assert report["macs_executed"] == layers.m4["macs"]
    assert report["equal"] == report["tensors"]
    assert measured.slowdown == report["instructions"] / layers.m4["instructions"]
    page = render("measurements.md.jinja2", [], [measured], [])
    cells = dict(zip(columns(page, "Memory, streamed"), row(page, "| small |"), strict=True))
    assert (cells["input"], cells["limit"], cells["F"]) == ("streamed", "F ≤ 1.00", "1.0000")
    assert cells["arena"] == f"{report['arena_bytes']:,}"
    parts = ("arena_bytes", "stack_reserved_bytes", "static_ram_bytes")
    assert int(cells["SRAM in all"].replace(",", "")) - sum(report[p] for p in parts) in range(16)
    readme = render("readme.md.jinja2", [layers], [measured], [])
    assert row(readme, "| small |")[4:6] == [f"{m['arena_bytes']:,} B" for m in (layers.m4, report)]


@pytest.mark.qemu
def test_a_goal_that_cannot_be_met_says_so_in_the_table(layers: Measurement, path: str) -> None:
    measured = measure_goal(path, Goal("small", InputMode.STREAMED, None, sram_bytes=6500), layers)
    assert measured.report is None
    assert "6,500 B of SRAM" in measured.why_not
    page = render("measurements.md.jinja2", [], [measured], [])
    cells = row(page, "| small |")
    assert cells[:4] == ["small", "streamed", "SRAM ≤ 6,500", "does not fit"]
    assert len(cells) == len(columns(page, "Memory, streamed"))


def test_the_streamed_column_is_that_of_nothing_computed_again() -> None:
    def found(goal: Goal, arena: int) -> GoalMeasurement:
        return GoalMeasurement(goal, {"arena_bytes": arena}, "", 0, None, None)

    goals = [found(replace(ONCE, max_macs=1.05), 1), found(replace(ONCE, mode=InputMode.RESIDENT), 2)]
    goals.append(found(replace(ONCE, max_macs=None, sram_bytes=9), 3))
    report = {"macs": 1, "instructions": 7, "arena_bytes": 99, "equal": 4, "tensors": 4}
    layers = Measurement("small", report, None, Speed(1, 7, 7, 9.0, 8.0, 5, 6), 0, 0, 0)
    assert row(render("readme.md.jinja2", [layers], goals, []), "| small |")[5] == ""
    goals.append(found(ONCE, 4))
    assert row(render("readme.md.jinja2", [layers], goals, []), "| small |")[5] == "4 B"


def test_the_papers_patches_stand_beside_ours() -> None:
    page = render("measurements.md.jinja2", [], [], [])
    paper, computed = (row(part, "| ") for part in _patch_rows(page, "mobilenetv2"))
    assert paper[1:4] == ["paper", "75 x 75", "130 (+42.0 %)"]
    assert computed[1:4] == ["computed", "75 x 75", "129.5 (+41.9 %)"]
    assert (paper[6], computed[6]) == ("172", "171.5")


def _patch_rows(page: str, network: str) -> list[str]:
    lines = page.splitlines()
    first = next(n for n, line in enumerate(lines) if line.startswith(f"| {network} |"))
    return lines[first : first + 2]


def test_other_engines_are_compared_where_the_comparison_is_fair() -> None:
    model = "vww_mcunet_80_tinyengine"

    def best(nbytes: int, factor: float, *, with_image: bool) -> tuple[str, int]:
        peer = best_peer(model, nbytes, factor, with_image=with_image)
        assert peer is not None
        return peer.who, peer.nbytes

    # less memory for more work is another bargain; more memory for more work is beaten
    assert best(40_000, 1.05, with_image=False) == ("msf-CNN", 45_300)
    assert best(40_000, 1.0, with_image=False) == ("msf-CNN", 45_300)
    assert best(20_000, 1.0, with_image=False) == ("msf-CNN", 20_600)
    assert best(50_000, 1.0, with_image=False) == ("TinyEngine, 2x2 patches", 62_352)
    assert best(20_000, 1.0, with_image=True) == ("TinyEngine", 93_992)
    for name in (*PEER_POINTS, *TFLM):
        most = [best_peer(name, 1 << 30, factor, with_image=False) for factor in (1.0, 1.2, 2.0)]
        sizes = [p.nbytes for p in most if p is not None]
        assert sizes == sorted(sizes, reverse=True)
    assert best_peer("small", 1, 1.0, with_image=False) is None


def test_goals_are_apart_and_ask_for_one_thing() -> None:
    assert len(set(GOALS)) == len(GOALS)
    assert all((goal.max_macs is None) != (goal.sram_bytes is None) for goal in GOALS)


def test_a_name_that_no_model_has_is_refused() -> None:
    with pytest.raises(BadInput, match="--only nonesuch"):
        bench("", "nonesuch", check=False)


def test_a_damaged_model_is_refused_before_anything_is_measured(tmp_path: Path) -> None:
    path = tmp_path / "nothing.tflite"
    path.write_bytes(b"\0" * 64)
    with pytest.raises(CorruptModel, match="nothing"):
        measure(str(path))


def test_figures_that_vary_are_given_as_limits() -> None:
    assert below(0.3, [1, 2]) == "≤ 1"
    assert below(1.5, [1, 2]) == "≤ 2"
    assert below(9, [1, 2]) == "> 2"
