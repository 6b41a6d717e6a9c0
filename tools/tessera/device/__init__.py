"""Boards and their simulators, as the host sees them."""

from tessera.device.device import SILENCE_S, Device, FirmwareFault, RunResult, StepResult, open_device

__all__ = ["SILENCE_S", "Device", "FirmwareFault", "RunResult", "StepResult", "open_device"]
