"""LiteRT with its reference kernels (BUILTIN_REF), every tensor kept, in a process of its own.

The reference aborts its process on some inputs (a gemmlowp assertion on SOFTMAX rows whose exponentials sum to 512, for
one), so a child runs it and its death becomes an OracleError.
"""

from __future__ import annotations

import os
import subprocess
import sys
import tempfile
from collections.abc import Sequence
from multiprocessing.connection import Connection, Pipe
from pathlib import Path
from types import TracebackType
from typing import Any, Self

from ai_edge_litert import schema_py_generated as schema  # type: ignore[import-untyped]
from numpy.typing import NDArray

from tessera.errors import TesseraError
from tessera.oracle.flatbuffer import pack

Array = NDArray[Any]
_TOOLS = Path(__file__).resolve().parents[2]


class OracleError(TesseraError):
    """LiteRT refuses the model or dies on it."""


def litert_tensors(model: bytes, inputs: Sequence[Array]) -> list[Array | None]:
    """Every tensor of the model for one input; see `Oracle` for many."""
    with Oracle(model) as oracle:
        return oracle.run(inputs)


class Oracle:
    """One child process. `run` may be called many times, `load` replaces the model; a dead child is started again."""

    def __init__(self, model: bytes) -> None:
        self._process: subprocess.Popen[bytes] | None = None
        self._connection: Connection | None = None
        self._stderr = tempfile.NamedTemporaryFile(prefix="tessera_oracle_", suffix=".log")  # noqa: SIM115
        self._model = b""
        self.load(model)

    def load(self, model: bytes) -> None:
        self._model = patch_bias_dimension(model)
        if self._connection is not None:
            self._ask(("load", self._model))
        else:
            self._start()

    def run(self, inputs: Sequence[Array]) -> list[Array | None]:
        """Indexed by the file's tensor numbers; None for a tensor that LiteRT does not keep."""
        if self._connection is None:
            self._start()
        result: list[Array | None] = self._ask(("run", list(inputs)))
        return result

    def _start(self) -> None:
        ours, theirs = Pipe()
        fd = theirs.fileno()
        with open(self._stderr.name, "w") as log:
            self._process = subprocess.Popen(
                [sys.executable, "-m", "tessera.oracle.child", str(fd)],
                pass_fds=[fd],
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
                env={**os.environ, "PYTHONPATH": str(_TOOLS), "TF_CPP_MIN_LOG_LEVEL": "3"},
            )
        theirs.close()
        self._connection = ours
        self._ask(("load", self._model))

    def _ask(self, message: tuple[str, Any]) -> Any:
        assert self._connection is not None
        try:
            self._connection.send(message)
            kind, value = self._connection.recv()
        except (EOFError, BrokenPipeError, ConnectionResetError) as error:
            self.close()
            raise OracleError(f"LiteRT aborted during '{message[0]}': {self._last_words()}") from error
        if kind == "error":
            raise OracleError(f"LiteRT refuses to {message[0]}: {value}")
        return value

    def _last_words(self) -> str:
        lines = [line for line in Path(self._stderr.name).read_text(errors="replace").splitlines() if line.strip()]
        return lines[-1].strip()[:200] if lines else "no message"

    def close(self) -> None:
        if self._connection is not None:
            self._connection.close()
            self._connection = None
        if self._process is not None:
            self._process.kill()
            self._process.wait()
            self._process = None

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()
        self._stderr.close()


def patch_bias_dimension(model: bytes) -> bytes:
    """Old converters wrote quantized_dimension 3 on the 1-D bias of a depthwise convolution; LiteRT refuses that."""
    m = schema.ModelT.InitFromPackedBuf(model, 0)
    changed = False
    for t in m.subgraphs[0].tensors:
        if t.shape is not None and len(t.shape) == 1 and t.quantization and t.quantization.quantizedDimension:
            t.quantization.quantizedDimension, changed = 0, True
    return pack(m) if changed else model
