"""Patches against MCUNetV2's table, and against brute force over single pixels."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from small_graphs import Builder

from tessera.ir import attrs as ir
from tessera.ir.graph import Graph, Op, TensorId
from tessera.nets.mobilenetv2 import MOBILENETV2, MOBILENETV2_RD, Net, build_graph
from tessera.schedule.cost import macs, macs_executed, op_macs
from tessera.schedule.net import make_net
from tessera.schedule.patches import (
    Cut,
    Patches,
    analytic_bytes,
    best_patches,
    enumerate_patches,
    find_cuts,
    make_patches,
    patch_cost,
    patch_schedule,
)
from tessera.schedule.region import Limits, Tile, stages_ending_at
from tessera.schedule.schedule import InputMode
from tessera.schedule.verify import verify_schedule

KIB = 1024


@pytest.mark.parametrize(
    ("net", "layers", "patch", "stage_factor", "stage_macs", "model_factor", "model_macs"),
    [(MOBILENETV2, 13, 75, 1.42, 130e6, 1.10, 330e6), (MOBILENETV2_RD, 9, 63, 1.18, 73e6, 1.03, 301e6)],
)
def test_table_1_of_mcunetv2(
    net: Net,
    layers: int,
    patch: int,
    stage_factor: float,
    stage_macs: float,
    model_factor: float,
    model_macs: float,
) -> None:
    """n = 5 blocks (the first convolution is one) are 13 operators; RD has a block of 4 less. 4 x 4 patches."""
    graph = build_graph(net)
    (cut,) = (c for c in find_cuts(graph) if len(c.ops) == layers)
    cost = patch_cost(graph, make_patches(graph, cut, 4))
    assert graph.tensor(cut.output).shape == (1, 28, 28, 32)
    assert cost.patch == (patch, patch)
    assert cost.stage_factor == pytest.approx(stage_factor, abs=0.005)
    assert cost.whole_patch_macs == pytest.approx(stage_macs, rel=0.012)
    assert cost.model_factor == pytest.approx(model_factor, abs=0.01)
    assert cost.model_macs == pytest.approx(model_macs, rel=0.005)
    assert max(analytic_bytes(graph, range(len(graph.ops)))) == 1372 * KIB
    assert cost.peak_bytes == 171.5 * KIB


@pytest.mark.parametrize(("net", "layers"), [(MOBILENETV2, 13), (MOBILENETV2_RD, 9)])
def test_the_same_patches_as_a_streamed_stage(net: Net, layers: int) -> None:
    """As a stage they execute the same MACs; and the search knows this stage: tiles of 7 rows and 56 columns of the
    image, nothing kept."""
    graph = build_graph(net)
    (cut,) = (c for c in find_cuts(graph) if len(c.ops) == layers)
    patches = make_patches(graph, cut, 4)
    cost, schedule = patch_cost(graph, patches), patch_schedule(graph, patches)
    assert schedule is not None
    verify_schedule(schedule)
    assert macs_executed(schedule) == cost.model_macs
    order = tuple(i for stage in schedule.stages for i in stage.ops)
    searched = [
        stage.macs
        for first, stage in stages_ending_at(
            make_net(graph, order, InputMode.REREAD), layers - 1, Tile(7, 56, True), Limits(1 << 30, 1 << 40)
        )
        if first == 0 and not any(m.lines or m.left for m in stage.choices if m.tensor != cut.output)
    ]
    assert searched
    assert all(cost.patch_macs <= n <= cost.whole_patch_macs for n in searched)


def test_best_number_of_patches_and_layers_is_the_papers() -> None:
    """Figure 8: n = 5 blocks (13 operators here), p = 4."""
    for net, layers in ((MOBILENETV2, 13), (MOBILENETV2_RD, 9)):
        best = best_patches(enumerate_patches(build_graph(net), range(2, 6)))
        assert (best.layers, best.count) == (layers, 4)


Pixel = tuple[int, int]
Box = set[Pixel]


@st.composite
def chains(draw: st.DrawFn) -> Graph:
    """Windows of all kinds, additions, joins and enlargements of one small map."""
    b = Builder()
    maps = [b.input(1, draw(st.integers(4, 11)), draw(st.integers(4, 11)), draw(st.integers(1, 3)))]
    for _ in range(draw(st.integers(1, 6))):
        x = maps[draw(st.integers(max(0, len(maps) - 3), len(maps) - 1))]
        like = [t for t in maps if b.shape(t) == b.shape(x)]
        _, rows, cols, channels = b.shape(x)
        kernel = (draw(st.integers(1, min(4, rows))), draw(st.integers(1, min(4, cols))))
        stride = (draw(st.integers(1, 3)), draw(st.integers(1, 3)))
        pads = (
            *(draw(st.integers(0, kernel[0] - 1)) for _ in "tb"),
            *(draw(st.integers(0, kernel[1] - 1)) for _ in "lr"),
        )
        match draw(st.integers(0, 6)):
            case 0 | 1:
                maps.append(b.conv(x, draw(st.integers(1, 3)), kernel, stride, pads))
            case 2:
                maps.append(b.depthwise(x, kernel, stride, pads))
            case 3:
                maps.append(b.pool(x, kernel, stride, pads))
            case 4:
                maps.append(b.add(x, draw(st.sampled_from(like))))
            case 5:
                maps.append(b.concat(x, draw(st.sampled_from(like))))
            case _ if rows * cols <= 60:
                maps.append(b.op(ir.ResizeNearest(False, False), (x,), (1, 2 * rows, 2 * cols, channels)))
            case _:
                maps.append(b.lookup(x))
    return b.graph(maps[-1])


def pixels_read(graph: Graph, op: Op, pixel: Pixel) -> Iterator[Pixel]:
    """Straight from the meaning of the operators, pixels of padding included."""
    match op.attrs:
        case ir.Conv2D() | ir.DepthwiseConv2D() as conv:
            _, height, width, _ = graph.tensor(op.inputs[1]).shape
            kernel, stride, padding = (height, width), conv.stride, conv.padding
        case ir.AvgPool2D() as pool:
            kernel, stride, padding = pool.kernel, pool.stride, pool.padding
        case ir.ResizeNearest():
            yield pixel[0] // 2, pixel[1] // 2
            return
        case _:
            yield pixel
            return
    for dy in range(kernel[0]):
        for dx in range(kernel[1]):
            yield pixel[0] * stride[0] - padding[0] + dy, pixel[1] * stride[1] - padding[2] + dx


def box(pixels: Box) -> Box:
    """The smallest rectangle around pixels."""
    if not pixels:
        return set()
    (top, bottom), (left, right) = ((min(v), max(v)) for v in zip(*pixels, strict=True))
    return {(y, x) for y in range(top, bottom + 1) for x in range(left, right + 1)}


def boxes_needed(graph: Graph, cut: Cut, patch: Box) -> dict[TensorId, Box]:
    """What of each map a patch of the last one needs, pixel by pixel."""
    need: dict[TensorId, Box] = {cut.output: patch}
    for i in reversed(cut.ops):
        op = graph.ops[i]
        for t in (t for t in op.inputs if not graph.tensor(t).is_constant):
            _, height, width, _ = graph.tensor(t).shape
            seen = {p for q in need[op.outputs[0]] for p in pixels_read(graph, op, q)}
            seen = {(y, x) for y, x in seen if 0 <= y < height and 0 <= x < width}
            need[t] = box(need.get(t, set()) | seen)
    return need


def spans_box(patches: Patches, t: TensorId, i: int, j: int) -> Box:
    (top, bottom), (left, right) = patches.rows[t][i], patches.cols[t][j]
    return {(y, x) for y in range(top, bottom) for x in range(left, right)}


@given(chains(), st.integers(1, 4))
@settings(max_examples=80, deadline=None)
def test_patches_need_what_brute_force_needs(graph: Graph, count: int) -> None:
    for cut in find_cuts(graph):
        patches = make_patches(graph, cut, count)
        executed = 0
        covered: list[Pixel] = []
        for i in range(len(patches.rows[cut.output])):
            for j in range(len(patches.cols[cut.output])):
                patch = spans_box(patches, cut.output, i, j)
                covered += patch
                need = boxes_needed(graph, cut, patch)
                assert all(spans_box(patches, t, i, j) == pixels for t, pixels in need.items())
                for op in (graph.ops[k] for k in cut.ops):
                    _, height, width, _ = graph.tensor(op.outputs[0]).shape
                    executed += op_macs(graph, op) // (height * width) * len(spans_box(patches, op.outputs[0], i, j))
        _, height, width, _ = graph.tensor(cut.output).shape
        assert sorted(covered) == [(y, x) for y in range(height) for x in range(width)]
        cost = patch_cost(graph, patches)
        assert cost.patch_macs == executed
        assert cost.model_macs - cost.patch_macs + cost.stage_macs == macs(graph)
        assert cost.whole_patch_macs >= cost.patch_macs


@given(chains())
@settings(max_examples=60, deadline=None)
def test_after_a_cut_only_its_map_is_needed(graph: Graph) -> None:
    for cut in find_cuts(graph):
        made = {t for i in cut.ops for t in graph.ops[i].outputs}
        later = {t for i, op in enumerate(graph.ops) if i not in cut.ops for t in op.inputs} | set(graph.outputs)
        assert (made | set(graph.inputs)) & later <= {cut.output}
        read = {t for i in cut.ops for t in graph.ops[i].inputs if not graph.tensor(t).is_constant}
        assert read <= made | set(graph.inputs)
        assert made <= read | {cut.output}


@given(chains(), st.integers(1, 4))
@settings(max_examples=60, deadline=None)
def test_the_stage_of_patches_computes_their_spans(graph: Graph, count: int) -> None:
    for cut in find_cuts(graph):
        patches = make_patches(graph, cut, count)
        schedule = patch_schedule(graph, patches)
        if schedule is None:
            continue
        verify_schedule(schedule)
        assert macs_executed(schedule) >= patch_cost(graph, patches).model_macs
        stage = schedule.stages[0]
        for m in stage.maps:
            assert tuple(m.rows.span(t) for t in range(stage.row_ticks)) == patches.whole_rows[m.tensor]
            assert tuple(m.cols.span(u) for u in range(stage.col_ticks)) == patches.whole_cols[m.tensor]
            assert (m.lines > 0) == (m.tensor == cut.output) == (not m.windowed)
        assert sorted(i for s in schedule.stages for i in s.ops) == list(range(len(graph.ops)))


def test_bytes_by_the_papers_rule() -> None:
    b = Builder()
    x = b.input(1, 8, 8, 4)
    wide = b.conv(x, 24)
    narrow = b.conv(b.depthwise(wide, (3, 3), padding=(1, 1, 1, 1)), 4)
    graph = b.graph(b.add(x, narrow))
    small, large = 8 * 8 * 4, 8 * 8 * 24
    # expand: both; depthwise: in place, the residual waits; project: added to it at once; add: nothing of its own
    assert analytic_bytes(graph, range(4)) == [small + large, small + large, small + large, small]
    other = Builder()
    x = other.input(1, 8, 8, 4)
    graph = other.graph(other.concat(other.conv(x, 24), x))
    assert analytic_bytes(graph, range(2)) == [small + large, 2 * (small + large)]
