"""Operator order of least peak memory.

Liberis & Lane, "Neural networks on microcontrollers: saving memory at inference via operator reordering"
(arXiv 1910.05110): which bytes are alive depends on the set of operators that have run, so the search is over sets.
This one is best-first on the peak so far; where it can, a set advances at no cost (see `_advance`), which makes chains
and branches that only shrink a single state.
"""

from __future__ import annotations

import heapq
import logging
from dataclasses import dataclass

from tessera.ir.graph import Graph
from tessera.schedule.peak import PeakModel, make_peak_model

log = logging.getLogger(__name__)

BEAM_WIDTH = 64


@dataclass(frozen=True, slots=True)
class Order:
    """Non-view operators (indices into graph.ops) in execution order."""

    ops: tuple[int, ...]
    peak_bytes: int  # of the model in peak.py; buffers aligned, arena not
    exact: bool  # no order has a lower peak


def find_order(graph: Graph, *, max_states: int = 20_000) -> Order:
    """The order of least peak; among equals the one nearest to the file's. Beyond `max_states` a beam search."""
    model = make_peak_model(graph)
    in_file = tuple(range(len(model.nodes)))
    nodes, peak, exact = in_file, model.peak(in_file), True
    if peak > model.floor():
        found = _exact(model, peak, max_states)
        exact = found is not None
        if found is None:
            log.info("%s: more than %d states, operator order by beam search", graph.name, max_states)
            found = _beam(model)
        if model.peak(found) < peak:
            peak = model.peak(found)
            nodes = _nearest_to_file(model, peak, max_states) or found
    log.info("%s: operator order %s, peak %d B", graph.name, "proven least" if exact else "not proven least", peak)
    return Order(tuple(model.nodes[n].op for n in nodes), peak, exact)


def _exact(model: PeakModel, limit: int, max_states: int) -> tuple[int, ...] | None:
    """An order of least peak (at most `limit`, the peak of a known order), or None when there are too many sets."""
    floor = model.floor()
    done, live, path = _advance(model, 0, model.start_bytes, floor)
    came_from: dict[int, tuple[int, tuple[int, ...]]] = {done: (-1, path)}
    best = {done: floor}
    queue = [(floor, -done.bit_count(), done, live)]
    while queue:
        peak, _, done, live = heapq.heappop(queue)
        if peak > best[done]:
            continue
        if done == model.everything:
            return _path(came_from, done)
        for node in model.ready(done):
            step, after = model.step(done, live, node)
            reached = max(peak, step)
            if reached > limit:
                continue
            new, after, path = _advance(model, done | 1 << node, after, reached)
            if reached < best.get(new, limit + 1):
                best[new], came_from[new] = reached, (done, (node, *path))
                heapq.heappush(queue, (reached, -new.bit_count(), new, after))
        if len(best) > max_states:
            return None
    raise AssertionError("the known order is within the limit")


def _advance(model: PeakModel, done: int, live: int, peak: int) -> tuple[int, int, tuple[int, ...]]:
    """Runs what can be run for nothing: a ready operator that keeps within the peak and leaves no more bytes alive.

    No order from here is worse for starting with it: every step between here and its old place has no more alive than
    before, since what it frees can only grow when others run first.
    """
    path: list[int] = []
    again = True
    while again:
        again = False
        for node in model.ready(done):
            step, after = model.step(done, live, node)
            if step <= peak and after <= live:
                done, live, again = done | 1 << node, after, True
                path.append(node)
                break
    return done, live, tuple(path)


def _path(came_from: dict[int, tuple[int, tuple[int, ...]]], done: int) -> tuple[int, ...]:
    parts: list[tuple[int, ...]] = []
    while done >= 0:
        done, part = came_from[done]
        parts.append(part)
    return tuple(node for part in reversed(parts) for node in part)


def _beam(model: PeakModel) -> tuple[int, ...]:
    """Keeps, for each number of operators run, the BEAM_WIDTH sets of least peak, then of least bytes alive."""
    level: dict[int, tuple[int, int, tuple[int, ...]]] = {0: (0, model.start_bytes, ())}
    for _ in model.nodes:
        reached: dict[int, tuple[int, int, tuple[int, ...]]] = {}
        for done, (peak, live, path) in level.items():
            for node in model.ready(done):
                step, after = model.step(done, live, node)
                candidate = (max(peak, step), after, (*path, node))
                new = done | 1 << node
                reached[new] = min(reached.get(new, candidate), candidate)
        level = dict(sorted(reached.items(), key=lambda item: item[1])[:BEAM_WIDTH])
    return min(level.values())[2]


def _nearest_to_file(model: PeakModel, limit: int, max_states: int) -> tuple[int, ...] | None:
    """The first order within `limit` in the lexical sense (file order is 0, 1, 2, ...); None if it takes too long."""
    path: list[int] = []
    dead: set[int] = set()
    stack = [(0, model.start_bytes, model.ready(0))]
    while stack:
        done, live, choices = stack[-1]
        if done == model.everything:
            return tuple(path)
        for node in choices:
            step, after = model.step(done, live, node)
            new = done | 1 << node
            if step <= limit and new not in dead:
                path.append(node)
                stack.append((new, after, model.ready(new)))
                break
        else:
            dead.add(done)
            stack.pop()
            if path:
                path.pop()
        if len(dead) > max_states:
            return None
    return None
