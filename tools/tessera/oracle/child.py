"""The process in which LiteRT runs: python -m tessera.oracle.child FD, where FD is one end of a multiprocessing Pipe.

Takes ("load", model) and ("run", inputs), answers ("ok", value) or ("error", text). See litert.py.
"""

from __future__ import annotations

import sys
from collections.abc import Sequence
from multiprocessing.connection import Connection
from typing import Any

import numpy as np
from ai_edge_litert.interpreter import Interpreter, OpResolverType  # type: ignore[import-untyped]
from numpy.typing import NDArray

Array = NDArray[Any]


def serve(connection: Connection) -> None:
    interpreter: Any = None
    while True:
        try:
            kind, value = connection.recv()
        except EOFError:
            return
        try:
            if kind == "load":
                interpreter = Interpreter(
                    model_content=value,
                    experimental_op_resolver_type=OpResolverType.BUILTIN_REF,
                    experimental_preserve_all_tensors=True,
                )
                interpreter.allocate_tensors()
                connection.send(("ok", None))
            else:
                connection.send(("ok", _tensors(interpreter, value)))
        except (RuntimeError, ValueError) as error:
            connection.send(("error", str(error).splitlines()[0][:200]))


def _tensors(interpreter: Any, inputs: Sequence[Array]) -> list[Array | None]:
    for details, value in zip(interpreter.get_input_details(), inputs, strict=True):
        interpreter.set_tensor(details["index"], value)
    interpreter.invoke()
    kept: list[Array | None] = []
    for i in range(max(d["index"] for d in interpreter.get_tensor_details()) + 1):
        try:
            kept.append(np.array(interpreter.get_tensor(i)))
        except ValueError:  # an unused or temporary tensor
            kept.append(None)
    return kept


if __name__ == "__main__":
    serve(Connection(int(sys.argv[1])))
