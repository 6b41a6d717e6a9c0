"""What can go wrong for a user. A message is one sentence: what, where, the limit and the actual value, what to try."""


class TesseraError(Exception):
    """The user's problem, not ours: printed without a traceback. `exit_code` is the process's."""

    exit_code = 1


class UnsupportedModel(TesseraError):
    """The model is well formed but uses something that Tessera does not run."""

    exit_code = 2


class CorruptModel(TesseraError):
    """The file is not a readable .tflite model."""

    exit_code = 2


class BadInput(TesseraError):
    """An argument, an image or an array is not what the task needs."""

    exit_code = 2


class ToolMissing(TesseraError):
    """A program that the task needs is not installed."""

    exit_code = 3


class DoesNotFit(TesseraError):
    """The model needs more memory than the board has."""

    exit_code = 4


class BoardError(TesseraError):
    """The board or the simulator did not answer, or reported a fault."""

    exit_code = 5


class NotEqual(TesseraError):
    """A tensor differs from the reference."""

    exit_code = 1


class GotWorse(TesseraError):
    """A measured figure is worse than the committed one."""

    exit_code = 1
