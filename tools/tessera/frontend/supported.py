"""What Tessera accepts: for each operator a list of small rules.

A rule's docstring is the sentence that the user reads when it is broken ("CONV_2D 'name': <docstring>, but ..."), and
the text of the table in docs/operators.md. It returns None where it holds and the actual value where it does not.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from tessera.arith.activation import Activation
from tessera.arith.multipliers import resize_bilinear_axis
from tessera.errors import UnsupportedModel
from tessera.frontend.view import BYTE_TYPES, OpView, label
from tessera.ir.graph import DType, Tensor
from tessera.ir.shapes import same_padding, window_count

Rule = Callable[[OpView], str | None]

QUANTISE_HINT = (
    "convert with full integer quantisation: optimizations = [tf.lite.Optimize.DEFAULT], a representative_dataset and "
    "supported_ops = [TFLITE_BUILTINS_INT8]"
)


@dataclass(frozen=True, slots=True)
class Supported:
    """`options` is the schema's class of options, `inputs` and `outputs` the least and greatest number of them."""

    options: str | None
    inputs: tuple[int, int]
    outputs: tuple[int, int]
    rules: tuple[Rule, ...]


def check(op: OpView, model: str) -> None:
    """Raises UnsupportedModel with the first rule that `op` breaks."""
    for rule in SUPPORTED[op.kind].rules:
        actual = rule(op)
        if actual is not None:
            sentence, _, hint = (rule.__doc__ or "").partition("Try: ")
            sentence, hint = " ".join(sentence.split()), " ".join(hint.split())
            raise UnsupportedModel(
                f"{model}: {op.kind} '{op.name}': {sentence}, but {actual}" + (f"; {hint}" if hint else "")
            )


def operator_table() -> list[tuple[str, tuple[str, ...]]]:
    """(operator, sentences), the source of docs/operators.md."""
    rows = []
    for kind, entry in sorted(SUPPORTED.items()):
        sentences = (" ".join((rule.__doc__ or "").partition("Try: ")[0].split()) for rule in entry.rules)
        rows.append((kind, tuple(sentences)))
    return rows


def _types(tensors: list[Tensor]) -> str:
    return ", ".join(f"'{label(t.name)}' is {t.dtype.value}" for t in tensors)


# Types and quantisation


def data_is_8_bit(op: OpView) -> str | None:
    """input and output must be int8 or uint8, both the same
    Try: convert with full integer quantisation: optimizations = [tf.lite.Optimize.DEFAULT], a representative_dataset
    and supported_ops = [TFLITE_BUILTINS_INT8]"""
    tensors = [op.data, *op.outputs]
    good = op.data.dtype in BYTE_TYPES and all(t.dtype == op.data.dtype for t in tensors)
    return None if good else _types(tensors)


def data_is_int8(op: OpView) -> str | None:
    """input and output must be int8
    Try: quantise to int8 instead of uint8"""
    tensors = [op.data, *op.outputs]
    return None if all(t.dtype is DType.INT8 for t in tensors) else _types(tensors)


def operands_have_one_type(op: OpView) -> str | None:
    """all operands must have the type of the output"""
    tensors = [t for t in op.inputs if t is not None]
    return None if all(t.dtype == op.out.dtype for t in tensors) else _types([*tensors, op.out])


def data_is_quantized_per_tensor(op: OpView) -> str | None:
    """input and output must have one scale and zero point each"""
    for t in (op.data, *op.outputs):
        if t.dtype in BYTE_TYPES and (t.quant is None or t.quant.scales.size != 1):
            return f"'{label(t.name)}' has {0 if t.quant is None else t.quant.scales.size} scales"
    return None


def operands_are_quantized_per_tensor(op: OpView) -> str | None:
    """all operands must have one scale and zero point each"""
    for t in (*op.inputs, *op.outputs):
        if t is not None and (t.quant is None or t.quant.scales.size != 1):
            return f"'{label(t.name)}' has {0 if t.quant is None else t.quant.scales.size} scales"
    return None


def weights_have_the_type_of_the_input(op: OpView) -> str | None:
    """weights must be a constant of the type of the input
    Try: convert with full integer quantisation, not weights only"""
    w = op.input(1)
    if w.dtype == op.data.dtype and w.is_constant:
        return None
    return f"'{label(w.name)}' is {w.dtype.value}" if w.is_constant else f"'{label(w.name)}' is computed at run time"


def weights_scales_fit(op: OpView) -> str | None:
    """weights must have one scale, or (int8) one for each output channel"""
    w = op.input(1)
    axis = 3 if op.kind == "DEPTHWISE_CONV_2D" else 0
    if w.quant is None:
        return f"'{label(w.name)}' has none"
    n = w.quant.scales.size
    if n == 1 or (n == w.shape[axis] and w.quant.axis == axis and w.dtype is DType.INT8):
        return None
    return f"'{label(w.name)}' has {n} scales along dimension {w.quant.axis} for {w.shape[axis]} channels"


def int8_weights_are_symmetric(op: OpView) -> str | None:
    """int8 weights must have zero point 0"""
    w = op.input(1)
    return None if w.dtype is not DType.INT8 or w.q.zero_point == 0 else f"it is {w.q.zero_point}"


def bias_is_int32(op: OpView) -> str | None:
    """the bias must be a constant int32 vector, one value for each output channel"""
    if not op.has(2):
        return None
    b = op.input(2)
    channels = op.input(1).shape[3 if op.kind == "DEPTHWISE_CONV_2D" else 0]
    good = b.dtype is DType.INT32 and b.is_constant and b.size == channels
    return None if good else f"'{label(b.name)}' is {b.dtype.value} {list(b.shape)}"


def scale_is_kept(op: OpView) -> str | None:
    """int8 input and output must have the same scale and zero point"""
    for t in op.outputs:
        if t.dtype is DType.INT8 and not op.data.q.same_as(t.quant):
            return f"'{label(t.name)}' differs from '{label(op.data.name)}'"
    return None


def operands_share_the_scale(op: OpView) -> str | None:
    """int8 operands must have the scale and zero point of the output"""
    for t in op.inputs:
        if t is not None and t.dtype is DType.INT8 and not op.out.q.same_as(t.quant):
            return f"'{label(t.name)}' differs from '{label(op.out.name)}'"
    return None


# Shapes


def rank_is_at_most_6(op: OpView) -> str | None:
    """tensors must have at most 6 dimensions"""
    rank = len(op.data.shape)
    return None if rank <= 6 else f"there are {rank}"


def map_is_nhwc(op: OpView) -> str | None:
    """the input must be one image of 4 dimensions, [1, height, width, channels]
    Try: convert with batch 1"""
    shape = op.data.shape
    return None if len(shape) == 4 and shape[0] == 1 and min(shape) > 0 else f"it is {list(shape)}"


def weights_have_4_dimensions(op: OpView) -> str | None:
    """weights must have 4 dimensions"""
    shape = op.input(1).shape
    return None if len(shape) == 4 and min(shape) > 0 else f"they are {list(shape)}"


def groups_are_1(op: OpView) -> str | None:
    """weights must read all input channels (no grouped convolution)"""
    shape, channels = op.input(1).shape, op.data.shape[3]
    return None if shape[3] == channels else f"they read {shape[3]} of {channels}"


def channels_are_a_multiple(op: OpView) -> str | None:
    """the number of output channels must be a multiple of that of input channels"""
    shape, channels = op.input(1).shape, op.data.shape[3]
    return None if shape[0] == 1 and shape[3] % channels == 0 else f"weights {list(shape)} meet {channels} channels"


def dilated_kernel_is_at_most_64(op: OpView) -> str | None:
    """dilation must be positive, and a dilated kernel at most 64 pixels high and wide, gaps included"""
    (down, across), (height, width) = op.dilation, op.kernel
    if min(down, across) >= 1 and ((down, across) == (1, 1) or max(height, width) <= 64):
        return None
    return f"dilation {down}x{across} makes it {height}x{width}"


def window_is_in_the_map(op: OpView) -> str | None:
    """kernel and stride must be positive, and the kernel must fit into the map"""
    (k_h, k_w), (s_h, s_w), shape = op.kernel, op.stride, op.data.shape
    if min(k_h, k_w, s_h, s_w) < 1 or max(k_h, k_w, s_h, s_w) > 4096 or op.options.padding not in (0, 1):
        return f"kernel {k_h}x{k_w}, stride {s_h}x{s_w}, padding code {op.options.padding}"
    for size, k, s in ((shape[1], k_h, s_h), (shape[2], k_w, s_w)):
        before, after = same_padding(size, k, s) if op.options.padding == 0 else (0, 0)
        if window_count(size, k, s, before, after) < 1:
            return f"kernel {k_h}x{k_w} meets {shape[1]}x{shape[2]}"
    return None


def fully_connected_sizes_fit(op: OpView) -> str | None:
    """weights must have 2 dimensions, the second of which divides the input's size"""
    w = op.input(1).shape
    if len(w) == 2 and min(w) > 0 and op.data.size > 0 and op.data.size % w[1] == 0:
        return None
    return f"weights {list(w)} meet {list(op.data.shape)}"


def weights_format_is_plain(op: OpView) -> str | None:
    """weights must be in the plain format"""
    return None if op.options.weightsFormat == 0 else f"the format is {op.options.weightsFormat}"


def operands_broadcast(op: OpView) -> str | None:
    """operands must have shapes that broadcast, of at most 6 dimensions"""
    a, b = op.input(0).shape, op.input(1).shape
    try:
        return None if len(np.broadcast_shapes(a, b)) <= 6 else f"they are {list(a)} and {list(b)}"
    except ValueError:
        return f"they are {list(a)} and {list(b)}"


def alpha_is_constant(op: OpView) -> str | None:
    """alpha must be a constant that broadcasts to the input"""
    a, x = op.input(1), op.data
    try:
        good = a.is_constant and np.broadcast_shapes(a.shape, x.shape) == x.shape
    except ValueError:
        good = False
    return (
        None if good else f"'{label(a.name)}' is {list(a.shape)}" + ("" if a.is_constant else ", computed at run time")
    )


def axes_are_constant(op: OpView) -> str | None:
    """axes must be constant and in range"""
    if not op.is_constant(1):
        return f"'{label(op.input(1).name)}' is computed at run time"
    rank = len(op.data.shape)
    axes = [a + rank if a < 0 else a for a in op.ints(1)]
    good = axes and all(0 <= a < rank for a in axes) and op.data.size > 0
    return None if good else f"they are {op.ints(1)} of {list(op.data.shape)}"


def parameters_are_constant(op: OpView) -> str | None:
    """paddings, sizes, axes, permutations and slice bounds must be constant integers
    Try: convert with a fixed input shape"""
    for i, t in enumerate(op.inputs):
        if t is not None and i != (1 if op.kind == "SPLIT" else 0):
            if op.kind == "PADV2" and i == 2:
                continue
            if t.data is None or t.dtype not in (DType.INT32, DType.INT64):
                return (
                    f"'{label(t.name)}' is computed at run time"
                    if t.data is None
                    else f"'{label(t.name)}' is {t.dtype.value}"
                )
    return None


def shape_is_constant(op: OpView) -> str | None:
    """the new shape must be constant
    Try: convert with a fixed input shape"""
    return f"'{label(op.input(1).name)}' is computed at run time" if op.has(1) and not op.is_constant(1) else None


def pad_value_is_constant(op: OpView) -> str | None:
    """the value to pad with must be one constant of the input's type"""
    v = op.input(2)
    return None if v.is_constant and v.size == 1 and v.dtype is op.data.dtype else f"'{label(v.name)}' is not"


def paddings_fit(op: OpView) -> str | None:
    """paddings must be two non-negative numbers for each dimension"""
    amounts = op.ints(1)
    good = len(amounts) == 2 * len(op.data.shape) and all(0 <= a <= 4096 for a in amounts)
    return None if good else f"they are {amounts[:16]}"


def permutation_is_valid(op: OpView) -> str | None:
    """the permutation must name each dimension once"""
    return None if sorted(op.ints(1)) == list(range(len(op.data.shape))) else f"it is {op.ints(1)[:8]}"


def target_size_is_positive(op: OpView) -> str | None:
    """the new size must be two positive numbers"""
    size = op.ints(1)
    return None if len(size) == 2 and all(0 < s <= 8192 for s in size) else f"it is {size[:4]}"


def corners_or_centers(op: OpView) -> str | None:
    """align_corners and half_pixel_centers must not be set together"""
    return "both are" if op.options.alignCorners and op.options.halfPixelCenters else None


def axis_is_in_range(op: OpView) -> str | None:
    """the axis must be one of the tensor's"""
    axis, rank = (op.ints(0)[0] if op.kind == "SPLIT" else op.options.axis), len(op.data.shape)
    rank += op.kind == "PACK"
    return None if -rank <= axis < rank else f"it is {axis} of {rank}"


def split_is_even(op: OpView) -> str | None:
    """the axis must be divided evenly among the outputs"""
    axis, n = op.ints(0)[0], op.options.numSplits
    size = op.data.shape[axis]
    return None if n == len(op.outputs) and n > 0 and size % n == 0 else f"{size} is split into {n}"


def other_dimensions_agree(op: OpView) -> str | None:
    """operands must agree in all dimensions other than the axis"""
    shapes = [list(op.input(i).shape) for i in range(len(op.inputs))]
    stacked = op.kind == "PACK"
    rank = len(shapes[0])
    axis = None if stacked else op.options.axis % rank
    cut = [[d for i, d in enumerate(s) if i != axis] for s in shapes]
    good = all(c == cut[0] and len(s) == rank for c, s in zip(cut, shapes, strict=True))
    return None if good else f"they are {shapes[:4]}"


def slice_masks_are_plain(op: OpView) -> str | None:
    """slices must have no ellipsis, no new axis, no offset mode"""
    o = op.options
    return "one is set" if o.ellipsisMask or o.newAxisMask or o.offset else None


def slice_bounds_fit(op: OpView) -> str | None:
    """begin, end and stride must have one entry for each dimension, and strides must not be 0"""
    lengths = [len(op.ints(i)) for i in range(1, len(op.inputs))]
    good = all(n == len(op.data.shape) for n in lengths) and (op.kind == "SLICE" or 0 not in op.ints(3))
    return None if good else f"there are {lengths} for {len(op.data.shape)} dimensions"


# Numbers


def activation_is_known(op: OpView) -> str | None:
    """a fused activation must be NONE, RELU, RELU_N1_TO_1 or RELU6"""
    code = op.options.fusedActivationFunction
    return None if code in {a.value for a in Activation} else f"its code is {code}"


def no_fused_activation(op: OpView) -> str | None:
    """there must be no fused activation"""
    code = op.options.fusedActivationFunction
    return None if code == 0 else f"its code is {code}"


def softmax_output_is_fixed(op: OpView) -> str | None:
    """the output must have scale 1/256 and the type's least value as zero point"""
    return _fixed_output(op, 1 / 256, int(np.iinfo(op.out.dtype.numpy).min))


def logistic_output_is_fixed(op: OpView) -> str | None:
    """the output must have scale 1/256 and the type's least value as zero point"""
    return softmax_output_is_fixed(op)


def _fixed_output(op: OpView, scale: float, zero_point: int) -> str | None:
    q = op.out.q
    return None if q.scale == scale and q.zero_point == zero_point else f"they are {q.scale} and {q.zero_point}"


def softmax_scale_is_usable(op: OpView) -> str | None:
    """beta times the input scale must be above 2^-26 and finite"""
    product = float(op.options.beta) * float(op.data.q.scale)
    return None if np.isfinite(product) and product > 2.0**-26 else f"it is {product:g}"


def softmax_has_elements(op: OpView) -> str | None:
    """the last dimension must have 1 to 65536 elements"""
    shape = op.data.shape
    return None if shape and 1 <= shape[-1] <= 65536 else f"the shape is {list(shape)}"


def hard_swish_scales_fit(op: OpView) -> str | None:
    """the input scale must be at most 128 times the output scale"""
    x, y = float(op.data.q.scale), float(op.out.q.scale)
    return None if x / 128 <= y else f"they are {x:g} and {y:g}"


def interpolation_stays_in_the_map(op: OpView) -> str | None:
    """fixed-point positions must stay inside the map, beyond which the reference reads foreign memory
    Try: resize by a smaller factor, or in two steps"""
    flags = bool(op.options.alignCorners), bool(op.options.halfPixelCenters)
    for n, size in zip(op.data.shape[1:3], op.ints(1), strict=True):
        if resize_bilinear_axis(n, size, *flags).low.max() >= n:
            return f"resizing {n} to {size} reaches row or column {n}"
    return None


def quantize_types(op: OpView) -> str | None:
    """must go from float32, int8 or uint8 to int8 or uint8"""
    good = op.data.dtype in (DType.FLOAT32, *BYTE_TYPES) and op.out.dtype in BYTE_TYPES
    return None if good else _types([op.data, op.out])


def dequantize_types(op: OpView) -> str | None:
    """must go from int8 or uint8 to float32
    Try: convert with full integer quantisation"""
    return None if op.data.dtype in BYTE_TYPES and op.out.dtype is DType.FLOAT32 else _types([op.data, op.out])


_TENSOR: tuple[Rule, ...] = (data_is_8_bit, data_is_quantized_per_tensor, rank_is_at_most_6)
_WEIGHTS: tuple[Rule, ...] = (weights_have_the_type_of_the_input,)
_WINDOW: tuple[Rule, ...] = (window_is_in_the_map, activation_is_known)
_PAIR: tuple[Rule, ...] = (
    data_is_8_bit,
    operands_have_one_type,
    operands_are_quantized_per_tensor,
    operands_broadcast,
    activation_is_known,
)
_RESIZE: tuple[Rule, ...] = (
    data_is_quantized_per_tensor,
    scale_is_kept,
    map_is_nhwc,
    parameters_are_constant,
    target_size_is_positive,
    corners_or_centers,
)
_MOVE: tuple[Rule, ...] = (*_TENSOR, parameters_are_constant)
_UNARY = Supported(None, (1, 1), (1, 1), _TENSOR)

SUPPORTED: dict[str, Supported] = {
    "CONV_2D": Supported(
        "Conv2D",
        (2, 3),
        (1, 1),
        (
            *_TENSOR,
            *_WEIGHTS,
            map_is_nhwc,
            weights_have_4_dimensions,
            weights_scales_fit,
            int8_weights_are_symmetric,
            bias_is_int32,
            groups_are_1,
            dilated_kernel_is_at_most_64,
            *_WINDOW,
        ),
    ),
    "DEPTHWISE_CONV_2D": Supported(
        "DepthwiseConv2D",
        (2, 3),
        (1, 1),
        (
            *_TENSOR,
            *_WEIGHTS,
            map_is_nhwc,
            weights_have_4_dimensions,
            weights_scales_fit,
            int8_weights_are_symmetric,
            bias_is_int32,
            channels_are_a_multiple,
            dilated_kernel_is_at_most_64,
            *_WINDOW,
        ),
    ),
    "FULLY_CONNECTED": Supported(
        "FullyConnected",
        (2, 3),
        (1, 1),
        (
            *_TENSOR,
            *_WEIGHTS,
            fully_connected_sizes_fit,
            weights_scales_fit,
            bias_is_int32,
            weights_format_is_plain,
            activation_is_known,
        ),
    ),
    "ADD": Supported("Add", (2, 2), (1, 1), _PAIR),
    "SUB": Supported("Sub", (2, 2), (1, 1), _PAIR),
    "MUL": Supported("Mul", (2, 2), (1, 1), _PAIR),
    "PRELU": Supported(
        None,
        (2, 2),
        (1, 1),
        (data_is_int8, operands_have_one_type, operands_are_quantized_per_tensor, alpha_is_constant),
    ),
    "AVERAGE_POOL_2D": Supported("Pool2D", (1, 1), (1, 1), (*_TENSOR, map_is_nhwc, *_WINDOW)),
    "MAX_POOL_2D": Supported("Pool2D", (1, 1), (1, 1), (*_TENSOR, map_is_nhwc, *_WINDOW)),
    "MEAN": Supported(
        "Reducer", (2, 2), (1, 1), (data_is_int8, data_is_quantized_per_tensor, rank_is_at_most_6, axes_are_constant)
    ),
    "SOFTMAX": Supported(
        "Softmax",
        (1, 1),
        (1, 1),
        (*_TENSOR, softmax_has_elements, softmax_output_is_fixed, softmax_scale_is_usable),
    ),
    "LOGISTIC": Supported(None, (1, 1), (1, 1), (*_TENSOR, logistic_output_is_fixed)),
    "TANH": _UNARY,
    "HARD_SWISH": Supported(None, (1, 1), (1, 1), (*_TENSOR, hard_swish_scales_fit)),
    "LEAKY_RELU": Supported("LeakyRelu", (1, 1), (1, 1), _TENSOR),
    "RELU": _UNARY,
    "RELU6": _UNARY,
    "RELU_N1_TO_1": _UNARY,
    "QUANTIZE": Supported(None, (1, 1), (1, 1), (quantize_types, data_is_quantized_per_tensor, rank_is_at_most_6)),
    "DEQUANTIZE": Supported(None, (1, 1), (1, 1), (dequantize_types, data_is_quantized_per_tensor, rank_is_at_most_6)),
    "RESIZE_NEAREST_NEIGHBOR": Supported("ResizeNearestNeighbor", (2, 2), (1, 1), (data_is_8_bit, *_RESIZE)),
    "RESIZE_BILINEAR": Supported(
        "ResizeBilinear", (2, 2), (1, 1), (data_is_int8, *_RESIZE, interpolation_stays_in_the_map)
    ),
    "RESHAPE": Supported("Reshape", (1, 2), (1, 1), (*_TENSOR, shape_is_constant)),
    "EXPAND_DIMS": Supported(None, (2, 2), (1, 1), _MOVE),
    "SQUEEZE": Supported("Squeeze", (1, 1), (1, 1), _TENSOR),
    "PAD": Supported(None, (2, 2), (1, 1), (*_MOVE, paddings_fit)),
    "PADV2": Supported(None, (3, 3), (1, 1), (*_MOVE, paddings_fit, pad_value_is_constant)),
    "TRANSPOSE": Supported(None, (2, 2), (1, 1), (*_MOVE, permutation_is_valid)),
    "CONCATENATION": Supported(
        "Concatenation",
        (1, 256),
        (1, 1),
        (
            data_is_8_bit,
            operands_have_one_type,
            operands_are_quantized_per_tensor,
            operands_share_the_scale,
            rank_is_at_most_6,
            axis_is_in_range,
            other_dimensions_agree,
            no_fused_activation,
        ),
    ),
    "SPLIT": Supported("Split", (2, 2), (1, 256), (*_MOVE, scale_is_kept, axis_is_in_range, split_is_even)),
    "PACK": Supported(
        "Pack",
        (1, 256),
        (1, 1),
        (
            data_is_8_bit,
            operands_have_one_type,
            operands_are_quantized_per_tensor,
            operands_share_the_scale,
            axis_is_in_range,
            other_dimensions_agree,
        ),
    ),
    "STRIDED_SLICE": Supported(
        "StridedSlice", (4, 4), (1, 1), (*_MOVE, scale_is_kept, slice_masks_are_plain, slice_bounds_fit)
    ),
    "SLICE": Supported(None, (3, 3), (1, 1), (*_MOVE, scale_is_kept, slice_bounds_fit)),
}
"""Operators that run on the target. Integer arithmetic on shapes is folded at load: see fold_shapes.py."""
