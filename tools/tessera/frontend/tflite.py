"""A .tflite file as a Graph: attributes resolved, unary operators as tables, shape arithmetic folded."""

from __future__ import annotations

import hashlib
import os
from dataclasses import replace
from pathlib import Path

import numpy as np
from ai_edge_litert import schema_py_generated as schema  # type: ignore[import-untyped]

from tessera.arith.unary import concatenation_table
from tessera.errors import BadInput, CorruptModel, UnsupportedModel
from tessera.frontend.convert import Shape, convert
from tessera.frontend.dilation import fill_gaps
from tessera.frontend.flatbuffer import PARSE_ERRORS, FileModel, FileOp, FileTensor, read_flatbuffer
from tessera.frontend.fold_shapes import FOLDERS
from tessera.frontend.supported import QUANTISE_HINT, SUPPORTED, check
from tessera.frontend.view import BYTE_TYPES, OpView, label
from tessera.ir.attrs import Concatenation, Conv2D, DepthwiseConv2D, Lookup
from tessera.ir.graph import DType, Graph, Op, Quant, Tensor, TensorId
from tessera.ir.names import unique_names
from tessera.ir.verify import InternalError, verify_graph

_TRANSFORMER_KINDS = {"BATCH_MATMUL", "GELU", "RSQRT", "SQUARED_DIFFERENCE"}


def load_tflite(model: bytes | str | os.PathLike[str], *, name: str = "") -> Graph:
    """`model` is a path or a file's content. Tensor numbers are the file's; ones that had to be added come behind."""
    content, label = _read(model, name)
    file = read_flatbuffer(content, label)
    try:
        with np.errstate(all="ignore"):  # absurd scales of a damaged file overflow on the way to a table
            graph = _Loader(file, label).graph(hashlib.sha256(content).hexdigest())
        verify_graph(graph)
    except InternalError as error:
        raise CorruptModel(f"{label}: {error}; convert the model again") from error
    return graph


def _read(model: bytes | str | os.PathLike[str], name: str) -> tuple[bytes, str]:
    if isinstance(model, bytes):
        return model, name or "model"
    path = Path(model)
    try:
        return path.read_bytes(), name or path.stem
    except OSError as error:
        raise BadInput(f"{path}: cannot be read ({error.strerror}); give a .tflite file") from error


class _Loader:
    """Works through the operators in file order; `tensors` grows and gets the shapes that the operators give."""

    def __init__(self, file: FileModel, label: str) -> None:
        self.file, self.label = file, label
        self._refuse_unknown_kinds()
        self.tensors = [self._tensor(t) for t in file.tensors]
        self.ops: list[Op] = []

    def graph(self, sha256: str) -> Graph:
        self._check_inputs()
        computed: set[int] = set(self.file.inputs)
        for op in self.file.ops:
            for i in op.inputs:
                if i >= 0 and i not in computed and not self.tensors[i].is_constant:
                    raise CorruptModel(
                        f"{self.label}: {op.kind} reads '{label(self.tensors[i].name)}' before it is computed"
                    )
            try:
                self._operator(op)
            except PARSE_ERRORS as error:
                where = label(self.tensors[op.outputs[0]].name) if op.outputs else "?"
                raise CorruptModel(f"{self.label}: {op.kind} '{where}' makes no sense ({error})") from error
            computed.update(op.outputs)
        names = unique_names(self.tensors[op.outputs[0]].name for op in self.ops)
        return Graph(
            name=self.label,
            tensors=tuple(self.tensors),
            ops=tuple(replace(op, name=name) for op, name in zip(self.ops, names, strict=True)),
            inputs=tuple(TensorId(i) for i in self.file.inputs),
            outputs=tuple(TensorId(i) for i in self.file.outputs),
            source_sha256=sha256,
        )

    def _refuse_unknown_kinds(self) -> None:
        kinds = {op.kind for op in self.file.ops}
        unknown = sorted(kinds - SUPPORTED.keys() - FOLDERS.keys())
        if unknown:
            why = "; transformers are not supported yet" if _TRANSFORMER_KINDS & set(unknown) else ""
            raise UnsupportedModel(
                f"{self.label}: {', '.join(unknown)} cannot run on the target{why}; "
                "build the model from the operators of docs/operators.md"
            )
        if not self.file.ops:
            raise UnsupportedModel(f"{self.label}: the model has no operators; export one that computes something")

    def _tensor(self, t: FileTensor) -> Tensor:
        if t.is_sparse or t.is_variable:
            what = "sparse" if t.is_sparse else "a state variable"
            raise UnsupportedModel(
                f"{self.label}: tensor '{label(t.name)}' is {what}; convert a dense, stateless model"
            )
        if t.dtype is None:
            raise UnsupportedModel(f"{self.label}: tensor '{label(t.name)}' is {t.type_name}; {QUANTISE_HINT}")
        return Tensor(t.name, t.shape, t.dtype, self._quant(t), t.data, source=t.index)

    def _quant(self, t: FileTensor) -> Quant | None:
        if t.scales.size == 0 or t.dtype in (DType.FLOAT32, DType.BOOL, None):
            return None
        zero_points = set(t.zero_points) or {0}
        if not np.all(np.isfinite(t.scales)) or np.any(t.scales <= 0):
            if t.dtype not in BYTE_TYPES:
                return None  # nobody reads the scale of a bias
            raise CorruptModel(
                f"{self.label}: tensor '{label(t.name)}' has a scale of {t.scales.min()}; it must be positive"
            )
        if len(zero_points) > 1:
            raise UnsupportedModel(
                f"{self.label}: tensor '{label(t.name)}' has {len(zero_points)} different zero points "
                "and the limit is 1; quantise weights symmetrically"
            )
        zero_point = zero_points.pop()
        if t.dtype in BYTE_TYPES and not np.iinfo(t.dtype.numpy).min <= zero_point <= np.iinfo(t.dtype.numpy).max:
            raise CorruptModel(
                f"{self.label}: tensor '{label(t.name)}' has zero point {zero_point}, outside {t.dtype.value}"
            )
        # Old converters wrote dimension 3 on the one-dimensional bias of a depthwise convolution.
        axis = t.axis if 0 <= t.axis < len(t.shape) else 0
        return Quant(t.scales, zero_point, axis)

    def _check_inputs(self) -> None:
        if not self.file.inputs or not self.file.outputs:
            raise UnsupportedModel(f"{self.label}: the model has no input or no output; export an inference graph")
        for i in self.file.inputs:
            t, file = self.tensors[i], self.file.tensors[i]
            if any(d < 0 for d in file.shape_signature[1:]) or t.size == 0:
                shape = list(file.shape_signature or t.shape)
                raise UnsupportedModel(
                    f"{self.label}: input '{label(t.name)}' has the dynamic shape {shape}; "
                    "convert with a fixed input shape"
                )
            if t.is_constant:
                raise CorruptModel(f"{self.label}: input '{label(t.name)}' is a constant; export the model again")
            if len(t.shape) == 4 and t.shape[0] != 1:
                raise UnsupportedModel(
                    f"{self.label}: input '{label(t.name)}' has batch {t.shape[0]} and the limit is 1; "
                    "convert with batch 1"
                )

    def _operator(self, op: FileOp) -> None:
        if not op.outputs:
            raise CorruptModel(f"{self.label}: {op.kind} has no output; fetch the file again")
        first = self.tensors[op.outputs[0]]
        if first.dtype in (DType.INT32, DType.INT64) and op.kind in FOLDERS:
            self._fold(op)
            return
        if op.kind not in SUPPORTED:
            raise UnsupportedModel(
                f"{self.label}: {op.kind} '{label(first.name)}' of {first.dtype.value} can only be used "
                "to compute a constant shape; convert with a fixed input shape"
            )
        entry = SUPPORTED[op.kind]
        view = self._view(op, entry.options)
        if not entry.inputs[0] <= len(op.inputs) <= entry.inputs[1] or any(
            not view.has(i) for i in range(entry.inputs[0])
        ):
            raise CorruptModel(f"{self.label}: {op.kind} '{view.name}' has {len(op.inputs)} inputs; convert it again")
        if not entry.outputs[0] <= len(op.outputs) <= entry.outputs[1]:
            raise CorruptModel(f"{self.label}: {op.kind} '{view.name}' has {len(op.outputs)} outputs; convert it again")
        check(view, self.label)
        converted = convert(view)
        inputs = [TensorId(op.inputs[i]) for i in converted.operands]
        if isinstance(converted.attrs, Concatenation):
            inputs = [self._requantized(i, view.out) for i in inputs]
        if isinstance(converted.attrs, Conv2D | DepthwiseConv2D) and view.dilation != (1, 1):
            inputs[1] = self._add(fill_gaps(view.input(1), view.dilation))
        for i, shape in zip(op.outputs, converted.shapes, strict=True):
            self._set_shape(op, i, shape)
        self.ops.append(Op("", converted.attrs, tuple(inputs), tuple(TensorId(i) for i in op.outputs)))

    def _view(self, op: FileOp, options_class: str | None) -> OpView:
        options = op.options
        if options_class is not None:
            expected = getattr(schema, f"{options_class}OptionsT")
            options = expected() if options is None else options
            if not isinstance(options, expected):
                raise CorruptModel(f"{self.label}: {op.kind} carries {type(options).__name__}; fetch the file again")
        return OpView(
            kind=op.kind,
            version=op.version,
            options=options,
            input_ids=op.inputs,
            output_ids=op.outputs,
            inputs=tuple(self.tensors[i] if i >= 0 else None for i in op.inputs),
            outputs=tuple(self.tensors[i] for i in op.outputs),
        )

    def _fold(self, op: FileOp) -> None:
        options_class, function = FOLDERS[op.kind]
        view = self._view(op, options_class)
        values = []
        for t in view.inputs:
            if t is not None and t.data is None and op.kind != "SHAPE":
                raise UnsupportedModel(
                    f"{self.label}: {op.kind} '{view.name}' of {view.out.dtype.value} reads '{label(t.name)}', "
                    "which is computed at run time; convert with a fixed input shape"
                )
            if t is not None and t.data is not None:
                values.append(t.data)
        result = np.asarray(function(view, values)).astype(view.out.dtype.numpy)
        self._set_shape(op, op.outputs[0], result.shape)
        self.tensors[op.outputs[0]] = replace(self.tensors[op.outputs[0]], data=result)

    def _set_shape(self, op: FileOp, i: int, shape: Shape) -> None:
        """The file's shape of an output must be what the operator gives, or unknown."""
        t, signature = self.tensors[i], self.file.tensors[i].shape_signature
        if t.shape != shape and t.shape != () and not any(d < 0 for d in signature):
            raise CorruptModel(
                f"{self.label}: {op.kind} '{label(t.name)}' gives {list(shape)} and the file says {list(t.shape)}; "
                "convert the model again"
            )
        self.tensors[i] = replace(t, shape=shape)

    def _add(self, tensor: Tensor) -> TensorId:
        self.tensors.append(tensor)
        return TensorId(len(self.tensors) - 1)

    def _requantized(self, i: TensorId, out: Tensor) -> TensorId:
        """An operand of CONCATENATION in the output's scale; only uint8 ones may differ."""
        x = self.tensors[i]
        if x.q.same_as(out.quant):
            return i
        name = f"{x.name}_requantized_{len(self.tensors)}"
        made = self._add(Tensor(name, x.shape, out.dtype, out.quant))
        self.ops.append(Op("", Lookup(concatenation_table(x, out), "CONCATENATION"), (i,), (made,)))
        return made
