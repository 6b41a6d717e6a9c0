"""Networks for tests of the search: small, but with what makes schedules differ."""

from __future__ import annotations

from functools import cache

from networks import Network

from tessera.ir import attrs as ir
from tessera.ir.graph import Graph, TensorId
from tessera.nets.mobilenetv2 import MOBILENETV2, Block, Net, build_graph


@cache
def mobilenet() -> Graph:
    """The first blocks of MobileNetV2 0.35 on 48 x 48."""
    blocks = (Block(1, 16, 3, 1), Block(6, 24, 3, 2), Block(6, 24, 3, 1), Block(6, 32, 3, 2))
    return build_graph(Net("small", blocks, head=96), width=0.35, size=48, classes=10)


@cache
def whole_mobilenet() -> Graph:
    return build_graph(MOBILENETV2, width=0.35, size=48, classes=10)


@cache
def squeezed() -> Graph:
    """A squeeze-and-excite block whose map is larger than all else."""
    n = Network(3)
    x = n.conv(n.input(20, 20, 3), 8, (3, 3), (2, 2))
    y = n.depthwise(n.conv(x, 32, (1, 1)))
    gate = n.lookup(n.conv(n.lookup(n.conv(n.mean(y), 8, (1, 1))), 32, (1, 1)))
    return n.graph(n.two(ir.Add, x, n.conv(n.two(ir.Mul, y, gate), 8, (1, 1))), name="squeezed")


@cache
def chain() -> Graph:
    """Convolutions one after the other, a large map in the middle."""
    return convolutions((12, 1), (8, 2), (4, 1))


def convolutions(*layers: tuple[int, int], size: int = 16, kernel: int = 3) -> Graph:
    """Channels and stride of each."""
    n = Network(1)
    x = n.input(size, size, 2)
    for channels, stride in layers:
        x = n.conv(x, channels, (kernel, kernel), (stride, stride))
    return n.graph(x, name="chain")


@cache
def two_branches() -> Graph:
    """The image is read twice, a long and a short way to one sum."""
    n = Network(2)
    image = n.input(20, 12, 3)
    long: TensorId = n.depthwise(n.conv(n.depthwise(n.conv(image, 8)), 8, (1, 1)), stride=(2, 2))
    short = n.conv(image, 8, (1, 1), (2, 2))
    return n.graph(n.two(ir.Add, long, short), name="two_branches")


GRAPHS = {f.__name__: f for f in (mobilenet, squeezed, chain, two_branches)}
