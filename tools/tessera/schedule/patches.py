"""MCUNetV2's inference by patches (Lin et al., arXiv 2110.15352, section 3.1), from our own analysis.

The first operators of a model run for p x p patches of their last map, one after the other. Nothing is kept between
patches but that last map, so what two patches both need, their halo, is computed twice. Bytes are counted by the
paper's rule; what they really are in our firmware, the memory planner says (`patch_schedule`).
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from itertools import pairwise

from tessera.ir.attrs import Add, DepthwiseConv2D
from tessera.ir.graph import Graph, TensorId
from tessera.schedule.cost import macs, op_macs
from tessera.schedule.schedule import InputMode, MapPlan, Schedule, Stage, Sweep
from tessera.schedule.streamable import Axis, Window, streamable
from tessera.schedule.views import is_view, view_roots

Span = tuple[int, int]
Spans = tuple[Span, ...]
NOTHING: Span = (0, 0)


@dataclass(frozen=True, slots=True)
class Cut:
    """The operators (indices into graph.ops) that make `output`; no other map of theirs is read elsewhere."""

    ops: tuple[int, ...]
    output: TensorId


@dataclass(frozen=True, slots=True)
class Patches:
    """What each patch needs of every map: patch (i, j) needs rows[t][i] x cols[t][j] of map t.

    `whole` spans go on beyond the borders as if every patch lay in the middle of the image. Along an axis of fewer than
    p patches, the rest would be empty.
    """

    cut: Cut
    count: int  # p: at most so many along each axis
    rows: Mapping[TensorId, Spans]
    cols: Mapping[TensorId, Spans]
    whole_rows: Mapping[TensorId, Spans]
    whole_cols: Mapping[TensorId, Spans]


@dataclass(frozen=True, slots=True)
class PatchCost:
    """MACs, and bytes by the paper's rule (`analytic_bytes`), of a model whose first operators run by patches."""

    layers: int  # operators that run by patches
    count: int
    output: str  # the last of them
    patch: tuple[int, int]  # rows and columns of the image that the largest patch covers
    stage_macs: int  # each pixel once
    patch_macs: int  # as executed: patches at the border are smaller
    whole_patch_macs: int  # every patch as large as one in the middle
    other_macs: int  # of the other operators
    stage_bytes: int  # while patches run, the image elsewhere
    image_patch_bytes: int  # the same with the patch of the image
    frame_bytes: int  # the same with the whole image
    other_bytes: int  # while the other operators run

    @property
    def model_macs(self) -> int:
        return self.patch_macs + self.other_macs

    @property
    def stage_factor(self) -> float:
        """How the paper counts the stage: its table's +42 % is that of whole patches, its +10 % is not."""
        return self.whole_patch_macs / max(self.stage_macs, 1)

    @property
    def model_factor(self) -> float:
        return self.model_macs / max(self.stage_macs + self.other_macs, 1)

    @property
    def peak_bytes(self) -> int:
        """As the paper counts: the image is elsewhere."""
        return max(self.stage_bytes, self.other_bytes)


def find_cuts(graph: Graph) -> tuple[Cut, ...]:
    """Every place where the patches may end, the nearest to the image first."""
    readers, producer = graph.consumers(), graph.producer()
    makers: dict[TensorId, frozenset[int]] = {}
    cuts: list[Cut] = []
    for i, op in enumerate(graph.ops):
        way = streamable(graph, op)
        sources = [] if way is None else [s.tensor for s in way.sources if not graph.tensor(s.tensor).is_constant]
        if way is None or way.reduces or any(t in producer and t not in makers for t in sources):
            continue
        ops = frozenset({i}).union(*(makers.get(t, frozenset()) for t in sources))
        output = op.outputs[0]
        makers[output] = ops
        inside = {t for k in ops for t in (*graph.ops[k].inputs, *graph.ops[k].outputs) if t != output}
        inside = {t for t in inside if not graph.tensor(t).is_constant}
        if not inside & set(graph.outputs) and all(k in ops for t in inside for k in readers[t]):
            cuts.append(Cut(tuple(sorted(ops)), output))
    return tuple(sorted(cuts, key=lambda c: (len(c.ops), c.ops)))


def make_patches(graph: Graph, cut: Cut, count: int) -> Patches:
    spans = (_needs(graph, cut, count, axis, cut_to_map) for cut_to_map in (True, False) for axis in (1, 2))
    return Patches(cut, count, *spans)


def patch_cost(graph: Graph, patches: Patches) -> PatchCost:
    cut = patches.cut
    images = [t for t in patches.rows if t in graph.inputs]
    inside = set(cut.ops)
    others = [i for i in range(len(graph.ops)) if i not in inside]
    output_bytes = graph.tensor(cut.output).nbytes
    patch_bytes = {
        t: _longest(patches.rows[t]) * _longest(patches.cols[t]) * graph.tensor(t).shape[3] for t in patches.rows
    }
    patch_bytes[cut.output] = 0  # written into the whole map at once
    without = {**patch_bytes, **dict.fromkeys(images, 0)}
    stage_bytes = output_bytes + max(analytic_bytes(graph, cut.ops, without))
    with_image = output_bytes + max(analytic_bytes(graph, cut.ops, patch_bytes))
    once = sum(op_macs(graph, graph.ops[i]) for i in cut.ops)
    return PatchCost(
        layers=len(cut.ops),
        count=patches.count,
        output=graph.ops[cut.ops[-1]].name,
        patch=(
            max(min(_longest(patches.whole_rows[t]), graph.tensor(t).shape[1]) for t in images),
            max(min(_longest(patches.whole_cols[t]), graph.tensor(t).shape[2]) for t in images),
        ),
        stage_macs=once,
        patch_macs=_patch_macs(graph, cut, patches.rows, patches.cols),
        whole_patch_macs=_patch_macs(graph, cut, patches.whole_rows, patches.whole_cols),
        other_macs=macs(graph) - once,
        stage_bytes=stage_bytes,
        image_patch_bytes=with_image,
        frame_bytes=stage_bytes + sum(graph.tensor(t).nbytes for t in images),
        other_bytes=max(analytic_bytes(graph, others), default=0),
    )


def enumerate_patches(graph: Graph, counts: Iterable[int]) -> tuple[PatchCost, ...]:
    """Every p of `counts` with every place to end."""
    cuts = find_cuts(graph)
    return tuple(patch_cost(graph, make_patches(graph, cut, p)) for p in counts for cut in cuts)


def best_patches(costs: Sequence[PatchCost]) -> PatchCost:
    """Least peak, then least MACs, then fewest patches."""
    return min(costs, key=lambda c: (c.peak_bytes, c.model_macs, c.count, c.layers))


def analytic_bytes(graph: Graph, ops: Sequence[int], nbytes: Mapping[TensorId, int] | None = None) -> list[int]:
    """Bytes at each of `ops` by the rule of section 4: input + output, what other branches wait for, a shared map once.

    The published figures follow only if a depthwise convolution writes over its input (as TinyEngine's does) and a map
    that is only added to a waiting one is added at once; both are assumed. `nbytes`: of a map, where not whole.
    """
    roots, sizes = view_roots(graph), nbytes or {}
    run = [i for i in ops if not is_view(graph.ops[i].attrs)]
    maps = {i: _maps(graph, roots, graph.ops[i].inputs) for i in run}
    born = {roots[t]: i for i in run for t in graph.ops[i].outputs}
    last = {t: i for i in run for t in maps[i]}
    last |= {roots[t]: len(graph.ops) for t in graph.outputs}
    added = _added_at_once(graph, run, roots, born, last)
    bytes_of = {t: sizes.get(t, graph.tensor(t).nbytes) for t in {*born, *last}}
    table: list[int] = []
    for i in run:
        op, out = graph.ops[i], roots[graph.ops[i].outputs[0]]
        alive = [t for t in bytes_of if born.get(t, -1) <= i <= max(last.get(t, -1), born.get(t, -1))]
        total = sum(bytes_of[t] for t in alive if t not in added)
        source = maps[i][0] if maps[i] else out
        if last.get(source) == i and isinstance(op.attrs, DepthwiseConv2D | Add):
            total -= min(bytes_of[source], bytes_of[out])
        table.append(total)
    return table


def patch_schedule(graph: Graph, patches: Patches) -> Schedule | None:
    """The same as a schedule that our firmware runs: one stage, a patch a tick, then layers in the graph's order. None
    where what patches need of a map is not evenly spaced (an enlarged map) or leaves pixels out that nobody reads."""
    cut = patches.cut
    images = [t for t in patches.rows if t in graph.inputs]
    maps: list[MapPlan] = []
    for t in (*images, *(graph.ops[i].outputs[0] for i in cut.ops)):
        _, height, width, _ = graph.tensor(t).shape
        rows, cols = _sweep(patches.whole_rows[t], height), _sweep(patches.whole_cols[t], width)
        if rows is None or cols is None:
            return None
        whole = t == cut.output
        maps.append(MapPlan(t, rows, cols, height if whole else 0, windowed=not whole))
    inside = set(cut.ops)
    others = (i for i, op in enumerate(graph.ops) if i not in inside and not is_view(op.attrs))
    stage = Stage(cut.ops, tuple(maps), len(patches.rows[cut.output]), len(patches.cols[cut.output]))
    return Schedule(graph, (stage, *(Stage((i,)) for i in others)), InputMode.REREAD)


def _needs(graph: Graph, cut: Cut, count: int, axis: int, cut_to_map: bool) -> dict[TensorId, Spans]:
    """What each patch needs of every map along an axis, traced from the last map back to the image."""
    size = graph.tensor(cut.output).shape[axis]
    step = -(-size // count)
    ends = ((begin, begin + step) for begin in range(0, size, step))
    needs: dict[TensorId, Spans] = {cut.output: tuple((b, min(e, size) if cut_to_map else e) for b, e in ends)}
    for i in reversed(cut.ops):
        way = streamable(graph, graph.ops[i])
        assert way is not None
        for source in way.sources:
            rule = source.rows if axis == 1 else source.cols
            if rule is None:
                continue
            end = graph.tensor(source.tensor).shape[axis] if cut_to_map else None
            seen = tuple(_seen(rule, span, end) for span in needs[graph.ops[i].outputs[0]])
            known = needs.get(source.tensor, (NOTHING,) * len(seen))
            needs[source.tensor] = tuple(_hull(a, b) for a, b in zip(known, seen, strict=True))
    return needs


def _seen(axis: Axis, span: Span, end: int | None) -> Span:
    """What of the source a span of the output sees, cut to [0, end)."""
    if span == NOTHING:
        return NOTHING
    first, last = span[0], span[1] - 1
    if isinstance(axis, Window):
        seen = first * axis.stride - axis.pad, last * axis.stride - axis.pad + axis.kernel
    else:
        seen = first // axis.factor + axis.low, last // axis.factor + axis.high + 1
    if end is not None:
        seen = max(seen[0], 0), min(seen[1], end)
    return seen if seen[0] < seen[1] else NOTHING


def _hull(a: Span, b: Span) -> Span:
    if NOTHING in (a, b):
        return a if b == NOTHING else b
    return min(a[0], b[0]), max(a[1], b[1])


def _longest(spans: Spans) -> int:
    return max(end - begin for begin, end in spans)


def _patch_macs(graph: Graph, cut: Cut, rows: Mapping[TensorId, Spans], cols: Mapping[TensorId, Spans]) -> int:
    total = 0
    for op in (graph.ops[i] for i in cut.ops):
        out = op.outputs[0]
        _, height, width, _ = graph.tensor(out).shape
        pixels = sum(e - b for b, e in rows[out]) * sum(e - b for b, e in cols[out])
        total += op_macs(graph, op) // (height * width) * pixels
    return total


def _sweep(spans: Spans, size: int) -> Sweep | None:
    steps = {b[0] - a[0] for a, b in pairwise(spans)} or {size}
    lengths = {end - begin for begin, end in spans}
    covered = spans[0][0] <= 0 and spans[-1][1] >= size and min(lengths) >= max(steps)
    if len(steps) > 1 or len(lengths) > 1 or not covered:
        return None
    return Sweep(1, 0, steps.pop(), spans[0][0], lengths.pop())


def _maps(graph: Graph, roots: Mapping[TensorId, TensorId], tensors: Iterable[TensorId]) -> list[TensorId]:
    return list(dict.fromkeys(roots[t] for t in tensors if not graph.tensor(t).is_constant))


def _added_at_once(
    graph: Graph,
    run: Sequence[int],
    roots: Mapping[TensorId, TensorId],
    born: Mapping[TensorId, int],
    last: Mapping[TensorId, int],
) -> set[TensorId]:
    """Maps whose only reader adds them to a map that waits for nothing else."""
    readers: dict[TensorId, list[int]] = {}
    for i in run:
        for t in _maps(graph, roots, graph.ops[i].inputs):
            readers.setdefault(t, []).append(i)
    added: set[TensorId] = set()
    for i in (i for i in run if isinstance(graph.ops[i].attrs, Add)):
        for y, z in ((a, b) for a in readers for b in readers if a != b and i in readers[a] and i in readers[b]):
            waits = z not in added and born.get(z, -1) < born.get(y, -1) and last[z] == i
            if readers[y] == [i] and waits and not any(born[y] < k < i for k in readers[z]):
                added.add(y)
    return added
