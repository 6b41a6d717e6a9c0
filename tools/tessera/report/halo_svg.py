"""What of every map one patch needs: its own share, and the halo that its neighbours need too and compute again."""

from __future__ import annotations

from itertools import groupby

from tessera.ir.graph import Graph, TensorId
from tessera.report.maps_svg import Colour, MapPanel, Region, maps_svg
from tessera.report.svg import fit, map_names
from tessera.schedule.patches import Patches, patch_cost

COLOURS = {
    "halo": Colour("#f2b8a0", "#b5534a", "halo: computed again by the neighbours"),
    "own": Colour("#8fb8e8", "#3f6fa8", "the patch's own share"),
}
NAME_CHARACTERS = 20


def halo_svg(graph: Graph, patches: Patches, title: str, patch: tuple[int, int] | None = None) -> str:
    """`patch`: which one along rows and columns; without it one in the middle."""
    output = patches.cut.output
    i, j = patch or (len(patches.rows[output]) // 2, len(patches.cols[output]) // 2)
    images = [t for t in patches.rows if t in graph.inputs]
    maps = [*images, *(graph.ops[k].outputs[0] for k in patches.cut.ops)]

    def alike(t: TensorId) -> tuple[object, ...]:
        return graph.tensor(t).shape[1:3], patches.rows[t], patches.cols[t]

    names = dict(zip(maps, map_names([graph.tensor(t).name for t in maps]), strict=True))
    groups = [list(same) for _, same in groupby(maps, key=alike)]
    panels = tuple(_panel(graph, patches, same, [names[t] for t in same], i, j) for same in groups)
    cost = patch_cost(graph, patches)
    summary = (
        f"patch ({i}, {j}) of {len(patches.rows[output])} x {len(patches.cols[output])}; "
        f"{cost.patch_macs:,} MACs instead of {cost.stage_macs:,} "
        f"(+{100 * (cost.patch_macs / max(cost.stage_macs, 1) - 1):.1f} %), {cost.stage_bytes:,} B while patches run"
    )
    return maps_svg(title, summary, panels, COLOURS)


def _panel(graph: Graph, patches: Patches, same: list[TensorId], names: list[str], i: int, j: int) -> MapPanel:
    """One rectangle for maps that follow each other and are needed alike."""
    t = same[-1]
    _, height, width, _ = graph.tensor(t).shape
    rows, cols = patches.rows[t], patches.cols[t]
    own_rows, own_cols = (_share(patches, axis, size) for axis, size in ((1, height), (2, width)))
    channels = ", ".join(str(graph.tensor(t).shape[3]) for t in same)
    need = tuple(end - begin for begin, end in (rows[i], cols[j]))
    own = tuple(end - begin for begin, end in (own_rows[i], own_cols[j]))
    return MapPanel(
        name=fit(names[0], NAME_CHARACTERS),
        rows=(0, height),
        cols=(0, width),
        regions=(Region("halo", rows[i], cols[j]), Region("own", own_rows[i], own_cols[j])),
        texts=(
            *([f"… {fit(names[-1], NAME_CHARACTERS)}"] if len(names) > 1 else []),
            f"{height} x {width} x {channels}",
            f"{need[0]} x {need[1]} needed",
            f"{own[0]} x {own[1]} its own",
        ),
        grid_rows=tuple(begin for begin, _ in own_rows[1:]),
        grid_cols=tuple(begin for begin, _ in own_cols[1:]),
    )


def _share(patches: Patches, axis: int, size: int) -> list[tuple[int, int]]:
    """Where patches would begin and end in a map of `size` if none needed a halo."""
    last = (patches.rows if axis == 1 else patches.cols)[patches.cut.output]
    whole = last[-1][1]
    return [(begin * size // whole, end * size // whole) for begin, end in last]
