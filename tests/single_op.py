"""Random models of one operator, for whatever must agree with LiteRT: the interpreter, the kernels, generated code.

    for n in range(cases):
        model, inputs = draw_case("CONV_2D", seed=n)      # content of a .tflite file, arrays in the order of its inputs

Zero points are extreme half of the time, scales spread around values that use the range, shapes are odd. Plain
random cases hardly ever touch a rounding boundary (test_mutants.py shows it), so a part is adversarial: powers of two
as scales (exact ties), 6 / (n + 0.5) (ties in clamp limits), accumulators put next to a boundary through the bias
(tells a float32 multiplier from a double one), and all 65,536 pairs of bytes for operators with two inputs.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from ai_edge_litert import schema_py_generated as schema  # type: ignore[import-untyped]
from numpy.typing import NDArray

from tessera.oracle.flatbuffer import pack

Array = NDArray[Any]
Case = tuple[bytes, list[Array]]
_TYPE_CODES = {np.dtype(v): k for k, v in {0: "float32", 2: "int32", 3: "uint8", 9: "int8"}.items()}
BOUNDARY_CHANNELS = 96  # with this many channels the biases are put next to rounding boundaries


@dataclass
class Spec:
    """One tensor. A shape of () on an output is left to the runtime to find."""

    shape: tuple[int, ...]
    dtype: Any = np.int8
    scale: Any = None  # number or array
    zero_point: int = 0
    data: Any = None
    axis: int = 0


def single_op(
    kind: str, inputs: Sequence[Spec | None], outputs: Sequence[Spec], options: Any = None, version: int = 2
) -> bytes:
    """A .tflite with one operator; inputs without data become the model's inputs, None is an optional one left out."""
    index = iter(range(len(inputs) + len(outputs)))
    op_inputs = [next(index) if s is not None else -1 for s in inputs]
    op_outputs = [next(index) for _ in outputs]
    return model_of(
        [s for s in inputs if s is not None] + list(outputs),
        [(kind, op_inputs, op_outputs, options, version)],
        [i for i, s in zip(op_inputs, inputs, strict=True) if s is not None and s.data is None],
        op_outputs,
    )


def model_of(
    tensors: Sequence[Spec],
    ops: Sequence[tuple[str, list[int], list[int], Any, int]],
    inputs: list[int],
    outputs: list[int],
) -> bytes:
    """A .tflite of operators (kind, inputs, outputs, options, version) over `tensors`."""
    model, graph = schema.ModelT(), schema.SubGraphT()
    model.version, model.operatorCodes, model.buffers, model.subgraphs = 3, [], [schema.BufferT()], [graph]
    graph.tensors, graph.operators, graph.inputs, graph.outputs, graph.name = [], [], inputs, outputs, b"main"
    for spec in tensors:
        graph.tensors.append(_tensor(spec, len(graph.tensors), model.buffers))
    for kind, op_inputs, op_outputs, options, version in ops:
        code, op = schema.OperatorCodeT(), schema.OperatorT()
        code.builtinCode = getattr(schema.BuiltinOperator, kind)
        code.deprecatedBuiltinCode, code.version = min(code.builtinCode, 127), version
        op.opcodeIndex, op.inputs, op.outputs = len(model.operatorCodes), op_inputs, op_outputs
        if options is not None:
            op.builtinOptions = options
            op.builtinOptionsType = getattr(schema.BuiltinOptions, type(options).__name__[:-1])
        model.operatorCodes.append(code)
        graph.operators.append(op)
    return pack(model)


def _tensor(spec: Spec, n: int, buffers: list[Any]) -> Any:
    t, b = schema.TensorT(), schema.BufferT()
    t.name, t.shape, t.buffer = b"t%d" % n, list(spec.shape), len(buffers)
    t.type = _TYPE_CODES[np.dtype(spec.dtype)]
    if spec.data is not None:
        b.data = np.frombuffer(np.ascontiguousarray(spec.data, spec.dtype).tobytes(), np.uint8)
    if spec.scale is not None:
        scales = np.atleast_1d(np.asarray(spec.scale, np.float32))
        t.quantization = q = schema.QuantizationParametersT()
        q.scale, q.zeroPoint, q.quantizedDimension = list(scales), [spec.zero_point] * len(scales), spec.axis
    buffers.append(b)
    return t


def options(name: str, **fields: Any) -> Any:
    """The schema's options object `name`OptionsT with `fields` set."""
    o = getattr(schema, name + "OptionsT")()
    for key, value in fields.items():
        setattr(o, key, value)
    return o


class Draw:
    """Random parts of a case."""

    def __init__(self, seed: int) -> None:
        self.rng = np.random.default_rng(seed)

    def one(self, *choices: Any) -> Any:
        return choices[self.rng.integers(len(choices))]

    def dims(self, rank: int, most: int = 9) -> tuple[int, ...]:
        return tuple(int(d) for d in self.rng.integers(1, most + 1, rank))

    def shape(self, rank: int, most: int = 9) -> tuple[int, ...]:
        """As dims, with batch 1 where there are four."""
        dims = self.dims(rank, most)
        return (1, *dims[1:]) if rank == 4 else dims

    def scale(self, around: float = 1.0, spread: float = 3.0) -> np.float32:
        s, kind = around * 2 ** self.rng.uniform(-spread, spread), self.rng.random()
        if kind < 0.25:
            s = 2.0 ** round(math.log2(s))
        elif kind < 0.35:
            s = 6 / (math.floor(6 / s) + 0.5)
        elif kind < 0.5:  # simple fractions: products and ratios a hair away from a tie
            power = 2.0 ** math.floor(math.log2(s))
            s = max(1, round(s * 15 / power)) / 15 * power
        return np.float32(s)

    def zero_point(self, dtype: Any = np.int8) -> int:
        info = np.iinfo(dtype)
        return int(self.one(info.min, info.max, *self.rng.integers(info.min, info.max + 1, 2)))

    def spec(
        self,
        shape: Sequence[int],
        dtype: Any = np.int8,
        around: float = 0.05,
        spread: float = 3.0,
        data: bool = False,
    ) -> Spec:
        s = Spec(tuple(shape), dtype, self.scale(around, spread), self.zero_point(dtype))
        s.data = self.values(s) if data else None
        return s

    def values(self, s: Spec) -> Array:
        if s.dtype == np.float32:
            return (self.rng.normal(0, 1, s.shape) * self.scale(1)).astype(np.float32)
        info, kind = np.iinfo(s.dtype), self.rng.integers(4)
        if kind == 0:
            return self.rng.choice([info.min, info.max], s.shape).astype(s.dtype)
        if kind == 1:
            noise = np.rint(self.rng.normal(0, 24, s.shape) + (int(info.min) + int(info.max)) / 2)
            return np.clip(noise, info.min, info.max).astype(s.dtype)
        return self.rng.integers(info.min, info.max + 1, s.shape).astype(s.dtype)

    def byte_type(self) -> Any:
        return self.one(np.int8, np.int8, np.uint8)

    def case(
        self,
        kind: str,
        inputs: Sequence[Spec | None],
        outputs: Sequence[Spec],
        option: Any = None,
        version: int = 2,
        fixed: list[Array] | None = None,
    ) -> Case:
        """The model, with `fixed` as inputs or random ones."""
        model = single_op(kind, inputs, outputs, option, version)
        arrays = fixed or [self.values(s) for s in inputs if s is not None and s.data is None]
        return model, arrays


Generator = Callable[[Draw], Case]


def draw_case(name: str, seed: int) -> Case:
    return GENERATORS[name](Draw(seed))


def ints(values: Any) -> Spec:
    """A constant int32 operand: axes, sizes, permutations."""
    a = np.asarray(values, np.int32)
    return Spec(a.shape, np.int32, data=a)


def all_bytes(dtype: Any = np.int8) -> Array:
    return np.arange(np.iinfo(dtype).min, np.iinfo(dtype).max + 1)


def moved(x: Spec) -> Spec:
    """An output with the input's scale and zero point."""
    return Spec((), x.dtype, x.scale, x.zero_point)


def activation(d: Draw) -> int:
    return int(d.one(0, 0, 1, 2, 3))


def weighted(
    d: Draw, x: Spec, shape: tuple[int, ...], axis: int, depth: int, channels: int, *, must_have_bias: bool = False
) -> tuple[Spec, Spec | None, Spec, list[Array] | None]:
    """(weights, bias, output, fixed inputs) of an accumulating operator, the output using its range."""
    if x.dtype == np.uint8:
        w = d.spec(shape, np.uint8, data=True)
    else:
        scales = [d.scale(0.01) for _ in range(channels)] if d.one(0, 1, 1) else d.scale(0.01)
        w = Spec(shape, np.int8, scales, 0, d.rng.integers(-127, 128, shape), axis)
    out = d.spec((), x.dtype, float(x.scale) * float(np.mean(w.scale)) * math.sqrt(depth) * 60)
    if not must_have_bias and not d.one(0, 1, 1):
        return w, None, out, None
    bias = Spec((channels,), np.int32, x.scale * np.asarray(w.scale), 0, d.rng.integers(-20000, 20000, channels))
    if channels < BOUNDARY_CHANNELS:
        return w, bias, out, None
    real = float(x.scale) * np.broadcast_to(np.asarray(w.scale, np.float64), channels)
    out.scale = np.float32(real.max() * 2 ** d.rng.uniform(16, 22))
    info, effective = np.iinfo(x.dtype), real / float(out.scale)
    steps = d.rng.integers(info.min - out.zero_point, info.max - out.zero_point, channels) + 0.5
    bias.data = np.clip(np.rint(steps / effective), -(1 << 30), 1 << 30)
    return w, bias, out, [np.full(x.shape, x.zero_point, x.dtype)]  # the accumulator is the bias


def _boundary_or(d: Draw, usual: int) -> int:
    return int(d.one(usual, usual, usual, BOUNDARY_CHANNELS))


def _window(d: Draw, x: Spec, kernels: Sequence[int] = (1, 2, 3, 5, 7)) -> tuple[int, int, dict[str, int]]:
    """(k_h, k_w, stride and padding options); VALID padding makes the map hold at least one window."""
    valid, (k_h, k_w) = d.one(0, 1), (int(d.one(*kernels)), int(d.one(*kernels)))
    if valid:
        n, h, w, c = x.shape
        x.shape = (n, max(h, k_h), max(w, k_w), c)
    return k_h, k_w, {"strideH": int(d.one(1, 2, 3)), "strideW": int(d.one(1, 2, 3)), "padding": valid}


def _dilated_window(d: Draw, x: Spec) -> tuple[int, int, dict[str, int]]:
    """The same with gaps between the taps of one kernel in four."""
    k_h, k_w, fields = _window(d, x)
    down, across = (int(d.one(1, 2, 3)) if dilated else 1 for dilated in [d.one(True, False, False, False)] * 2)
    n, h, w, c = x.shape
    if fields["padding"]:
        x.shape = (n, max(h, (k_h - 1) * down + 1), max(w, (k_w - 1) * across + 1), c)
    return k_h, k_w, {**fields, "dilationHFactor": down, "dilationWFactor": across}


def conv_2d(d: Draw) -> Case:
    depth, channels = int(d.rng.integers(1, 20)), _boundary_or(d, int(d.rng.integers(1, 9)))
    x = d.spec((1, *d.dims(2), depth), d.byte_type())
    k_h, k_w, fields = _dilated_window(d, x)
    w, bias, out, fixed = weighted(
        d, x, (channels, k_h, k_w, depth), 0, k_h * k_w * depth, channels, must_have_bias=True
    )
    option = options("Conv2D", fusedActivationFunction=activation(d), **fields)
    return d.case("CONV_2D", [x, w, bias], [out], option, 3, fixed)


def depthwise_conv_2d(d: Draw) -> Case:
    depth, factor = _boundary_or(d, int(d.rng.integers(1, 20))), int(d.one(1, 1, 2, 3))
    x = d.spec((1, *d.dims(2), depth), d.byte_type())
    k_h, k_w, fields = _dilated_window(d, x)
    w, bias, out, fixed = weighted(d, x, (1, k_h, k_w, depth * factor), 3, k_h * k_w, depth * factor)
    option = options("DepthwiseConv2D", depthMultiplier=factor, fusedActivationFunction=activation(d), **fields)
    return d.case("DEPTHWISE_CONV_2D", [x, w, *([bias] if bias else [])], [out], option, 3, fixed)


def fully_connected(d: Draw) -> Case:
    depth, channels = int(d.rng.integers(1, 300)), _boundary_or(d, int(d.rng.integers(1, 40)))
    x = d.spec((*d.dims(int(d.one(1, 2)), 4), depth), d.byte_type())
    w, bias, out, fixed = weighted(d, x, (channels, depth), 0, depth, channels)
    option = options("FullyConnected", keepNumDims=bool(d.one(0, 1)), fusedActivationFunction=activation(d))
    return d.case("FULLY_CONNECTED", [x, w, bias], [out], option, 4, fixed)


def elementwise(kind: str, name: str, around: Callable[[float, float], float]) -> Generator:
    def draw(d: Draw) -> Case:
        dtype, shape = d.byte_type(), d.shape(int(d.one(1, 2, 3, 4)), 7)
        other = tuple(int(d.one(s, s, 1)) for s in shape)
        other = d.one(other, other[int(d.rng.integers(0, len(other) + 1)) :], shape)
        a, b = d.one((shape, other), (other, shape))
        x, y, fixed = d.spec(a, dtype), d.spec(b, dtype), None
        if d.one(0, 0, 1):
            y.data = d.values(y)
        if d.one(0, 0, 0, 1):
            y.scale = x.scale
        if d.one(0, 0, 0, 1):
            x.shape, y.shape, y.data = (256, 1), (1, 256), None
            fixed = [all_bytes(dtype).astype(dtype).reshape(s.shape) for s in (x, y)]
        out = d.spec((), dtype, around(float(x.scale), float(y.scale)), 2.0)
        return d.case(kind, [x, y], [out], options(name, fusedActivationFunction=activation(d)), 2, fixed)

    return draw


def prelu(d: Draw) -> Case:
    if d.one(0, 0, 0, 1):  # every byte times every alpha
        x, alpha = d.spec((1, 1, 256, 256)), d.spec((1, 1, 256))
        alpha.data = all_bytes()
        values = np.broadcast_to(all_bytes().astype(np.int8)[:, None], x.shape)
        return d.case("PRELU", [x, alpha], [d.spec((), np.int8, float(x.scale))], None, 1, [values])
    x = d.spec(d.shape(4, 7))
    alpha = d.spec(d.one((1, 1, x.shape[3]), x.shape[1:]), np.int8, data=True)
    return d.case("PRELU", [x, alpha], [d.spec((), np.int8, float(x.scale))], None, 1)


def mean(d: Draw) -> Case:
    x = d.spec(d.shape(int(d.one(2, 3, 4, 4)), 12))
    rank = len(x.shape)
    some = sorted(d.rng.choice(rank, d.rng.integers(1, rank), replace=False).tolist())
    axes = [1, 2] if rank == 4 and d.one(0, 1) else some
    axes = [a - rank for a in axes] if d.one(0, 0, 1) else axes
    out = moved(x) if d.one(0, 0, 1) else d.spec((), np.int8, float(x.scale))
    return d.case("MEAN", [x, ints(axes)], [out], options("Reducer", keepDims=bool(d.one(0, 1))))


def pool(kind: str) -> Generator:
    def draw(d: Draw) -> Case:
        x = d.spec((1, *d.dims(3, 12)), d.byte_type())
        k_h, k_w, fields = _window(d, x)
        fields |= {"filterHeight": k_h, "filterWidth": k_w, "fusedActivationFunction": activation(d)}
        return d.case(kind, [x], [moved(x)], options("Pool2D", **fields))

    return draw


def softmax(d: Draw) -> Case:
    """LiteRT aborts where the exponentials sum to 512, hence at most 500 elements."""
    dtype = d.byte_type()
    rows = d.shape(int(d.one(1, 2, 3, 4)), 5)[:-1]
    x = d.spec((*rows, int(d.one(1, 2, 7, 64, 500))), dtype, 0.1, 5.0)
    out = Spec((), dtype, 1 / 256, int(np.iinfo(dtype).min))
    return d.case("SOFTMAX", [x], [out], options("Softmax", beta=float(d.one(1.0, 1.0, 0.5))))


def quantize(d: Draw) -> Case:
    types = (
        (np.int8, np.int8),
        (np.uint8, np.int8),
        (np.int8, np.uint8),
        (np.float32, np.int8),
        (np.float32, np.uint8),
    )
    source, target = d.one(*types)
    out = d.spec((), target)
    x = Spec((300,), np.float32) if source == np.float32 else d.spec((300,), source, float(out.scale))
    if source == np.float32:
        out.scale = d.scale(0.02)
    elif d.one(0, 0, 1):
        x.scale = out.scale
    return d.case("QUANTIZE", [x], [out], options("Quantize"), 1)


def dequantize(d: Draw) -> Case:
    return d.case("DEQUANTIZE", [d.spec((300,), d.byte_type())], [Spec((), np.float32)], options("Dequantize"))


def lookup(
    kind: str,
    make_options: Callable[[Draw], Any] | None = None,
    out: tuple[float, int] | None = None,
    types: tuple[Any, ...] = (np.int8,),
    version: int = 2,
) -> Generator:
    """A unary operator over all bytes; `out` fixes (scale, zero point) where the runtime insists."""

    def draw(d: Draw) -> Case:
        x = d.spec((256,), d.one(*types))
        y = Spec((), x.dtype, *out) if out else d.spec((), x.dtype, float(x.scale))
        values = all_bytes(x.dtype).astype(x.dtype)
        return d.case(kind, [x], [y], make_options(d) if make_options else None, version, [values])

    return draw


def resize(kind: str, name: str, types: tuple[Any, ...]) -> Generator:
    def draw(d: Draw) -> Case:
        x = d.spec((1, *d.dims(3, 12)), d.one(*types))
        align, half = d.one((False, False), (True, False), (False, True))
        size = [x.shape[1] * 2, x.shape[2] * 2] if d.one(0, 1) else d.dims(2, 30)
        option = options(name, alignCorners=align, halfPixelCenters=half)
        return d.case(kind, [x, ints(size)], [moved(x)], option, 3)

    return draw


def pad(d: Draw) -> Case:
    x = d.spec(d.shape(int(d.one(2, 3, 4, 5)), 6), d.byte_type())
    inputs = [x, ints(d.rng.integers(0, 4, (len(x.shape), 2)))]
    if d.one(0, 1):
        value = d.rng.integers(np.iinfo(x.dtype).min, np.iinfo(x.dtype).max + 1, 1)
        inputs.append(Spec((1,), x.dtype, x.scale, x.zero_point, value))
    return d.case("PAD" if len(inputs) == 2 else "PADV2", inputs, [moved(x)])


def reshape(d: Draw) -> Case:
    x = d.spec(d.dims(3, 6), d.byte_type())
    shape = d.one([-1], [1, -1], [x.shape[0], -1], [x.shape[2], x.shape[1], x.shape[0]])
    return d.case("RESHAPE", [x, ints(shape)], [moved(x)], options("Reshape"), 1)


def transpose(d: Draw) -> Case:
    x = d.spec(d.shape(int(d.one(2, 3, 4, 5)), 6), d.byte_type())
    return d.case("TRANSPOSE", [x, ints(d.rng.permutation(len(x.shape)))], [moved(x)], options("Transpose"))


def concatenation(d: Draw) -> Case:
    """int8 operands have the output's scale, uint8 ones may differ."""
    shape, dtype = list(d.shape(int(d.one(2, 3, 4)), 6)), d.one(np.int8, np.uint8)
    axis, out, parts = int(d.rng.integers(len(shape) == 4, len(shape))), d.spec((), dtype), []
    for _ in range(int(d.one(2, 3, 5))):
        shape[axis] = int(d.rng.integers(1, 6))
        same = dtype == np.int8 or d.one(0, 1)
        parts.append(
            Spec(tuple(shape), dtype, out.scale, out.zero_point) if same else d.spec(shape, dtype, float(out.scale))
        )
    option = options("Concatenation", axis=axis - d.one(0, len(shape)))
    return d.case("CONCATENATION", parts, [out], option)


def split(d: Draw) -> Case:
    n, shape, axis = int(d.one(1, 2, 3)), list(d.dims(3, 5)), int(d.rng.integers(3))
    shape[axis] *= n
    x = d.spec(shape, d.byte_type())
    return d.case("SPLIT", [ints(axis), x], [moved(x) for _ in range(n)], options("Split", numSplits=n))


def pack_op(d: Draw) -> Case:
    x = d.spec(d.dims(int(d.one(1, 2, 3)), 6), d.byte_type())
    option = options("Pack", valuesCount=2, axis=int(d.rng.integers(-1, len(x.shape) + 1)))
    return d.case("PACK", [x, Spec(x.shape, x.dtype, x.scale, x.zero_point)], [moved(x)], option)


def strided_slice(d: Draw) -> Case:
    x = d.spec(d.shape(int(d.one(1, 2, 3, 4, 5)), 8), d.byte_type())
    rank = len(x.shape)
    step = d.rng.choice([1, 1, 2, 3, -1], rank)
    a, b = (np.array([d.rng.integers(0, n) for n in x.shape]) for _ in range(2))
    begin = np.where(step > 0, np.minimum(a, b), np.maximum(a, b))
    end = np.where(step > 0, np.maximum(a, b) + 1, np.minimum(a, b) - 1)
    end_mask = int(d.rng.integers(0, 1 << rank)) | sum(1 << i for i in range(rank) if end[i] < 0)
    forward = sum(1 << i for i in range(rank) if step[i] > 0)
    shrink = int(d.rng.integers(0, 1 << rank)) & forward if d.one(0, 1) else 0
    begin = begin - np.where(d.rng.integers(0, 2, rank) == 1, np.array(x.shape), 0)
    begin_mask = int(d.rng.integers(0, 1 << rank)) & ~shrink
    option = options("StridedSlice", beginMask=begin_mask, endMask=end_mask, shrinkAxisMask=shrink)
    return d.case("STRIDED_SLICE", [x, ints(begin), ints(end), ints(step)], [moved(x)], option, 4)


def slice_or_view(d: Draw) -> Case:
    x = d.spec((int(d.one(1, 2)), *d.dims(2, 5)))
    begin = [int(d.rng.integers(0, n)) for n in x.shape]
    size = [int(d.one(-1, d.rng.integers(1, n - b + 1))) for n, b in zip(x.shape, begin, strict=True)]
    kind = d.one("SLICE", "EXPAND_DIMS", "SQUEEZE")
    if kind == "SLICE":
        return d.case(kind, [x, ints(begin), ints(size)], [moved(x)], options("Slice"))
    if kind == "EXPAND_DIMS":
        return d.case(kind, [x, ints([int(d.rng.integers(-1, 3))])], [moved(x)], options("ExpandDims"), 1)
    whole = Spec((1, *x.shape), np.int8, x.scale, x.zero_point)
    return d.case(kind, [whole], [moved(x)], options("Squeeze", squeezeDims=[0]), 1)


_BOTH = (np.int8, np.int8, np.uint8)

GENERATORS: dict[str, Generator] = {
    "CONV_2D": conv_2d,
    "DEPTHWISE_CONV_2D": depthwise_conv_2d,
    "FULLY_CONNECTED": fully_connected,
    "ADD": elementwise("ADD", "Add", max),
    "SUB": elementwise("SUB", "Sub", max),
    "MUL": elementwise("MUL", "Mul", lambda a, b: a * b * 60),
    "PRELU": prelu,
    "MEAN": mean,
    "AVERAGE_POOL_2D": pool("AVERAGE_POOL_2D"),
    "MAX_POOL_2D": pool("MAX_POOL_2D"),
    "SOFTMAX": softmax,
    "QUANTIZE": quantize,
    "DEQUANTIZE": dequantize,
    "RESIZE_NEAREST_NEIGHBOR": resize("RESIZE_NEAREST_NEIGHBOR", "ResizeNearestNeighbor", _BOTH),
    "RESIZE_BILINEAR": resize("RESIZE_BILINEAR", "ResizeBilinear", (np.int8,)),
    "LOGISTIC": lookup("LOGISTIC", out=(1 / 256, -128)),
    "LOGISTIC_UINT8": lookup("LOGISTIC", out=(1 / 256, 0), types=(np.uint8,)),
    "TANH": lookup("TANH", out=(1 / 128, 0)),
    "TANH_UINT8": lookup("TANH", out=(1 / 128, 128), types=(np.uint8,)),
    "HARD_SWISH": lookup("HARD_SWISH", types=_BOTH, version=1),
    "LEAKY_RELU": lookup("LEAKY_RELU", lambda d: options("LeakyRelu", alpha=float(d.rng.uniform(0, 1))), types=_BOTH),
    "RELU": lookup("RELU", types=_BOTH),
    "RELU6": lookup("RELU6", types=_BOTH),
    "RELU_N1_TO_1": lookup("RELU_N1_TO_1", version=1),
    "PAD": pad,
    "RESHAPE": reshape,
    "TRANSPOSE": transpose,
    "CONCATENATION": concatenation,
    "SPLIT": split,
    "PACK": pack_op,
    "STRIDED_SLICE": strided_slice,
    "SLICE_OR_VIEW": slice_or_view,
}
