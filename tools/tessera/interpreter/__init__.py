"""Every operator in numpy, byte-equal with LiteRT's reference kernels: the meaning of a Graph."""

from tessera.interpreter.run import run

__all__ = ["run"]
