"""What `bench` measures beside layers: how the image comes in, and the limits that a schedule is looked for."""

from __future__ import annotations

from dataclasses import dataclass

from tessera.schedule.options import ScheduleOptions
from tessera.schedule.schedule import InputMode


@dataclass(frozen=True, slots=True)
class Goal:
    """`max_macs` asks for the least memory, `sram_bytes` for the least work, as on the command line."""

    model: str  # as in models/, or a file name without its ending
    mode: InputMode
    max_macs: float | None
    sram_bytes: int | None = None
    board: str = "qemu-m4"

    @property
    def options(self) -> ScheduleOptions:
        return ScheduleOptions(self.mode, self.sram_bytes, self.max_macs)

    @property
    def limit(self) -> str:
        """For the table."""
        return f"F ≤ {self.max_macs:.2f}" if self.sram_bytes is None else f"SRAM ≤ {self.sram_bytes:,}"


def _least_memory(model: str, mode: InputMode, *factors: float) -> tuple[Goal, ...]:
    return tuple(Goal(model, mode, factor) for factor in factors)


def _within(model: str, sram_kib: int, board: str) -> tuple[Goal, ...]:
    return (Goal(model, InputMode.STREAMED, None, sram_kib * 1024, board),)


K_INSTRUCTIONS: dict[str, int] = {
    "vww_mobilenetv1_025_96_mlperf_int8": 4_900,
    "cifar10_resnet8_mlperf_int8": 12_000,
    "kws_dscnn_mlperf_int8": 3_300,
    "anomaly_fc_ae_mlperf_int8": 330,
    "vww_mcunet_80_tinyengine": 15_500,
    "persondet_mcunetv2_128x160_tinyengine": 24_500,
    "person_grayscale_96_tflm_int8": 8_600,
    "imagenet_mcunetv2_large_224_tinyengine": 245_000,
}
"""Thousand instructions of one inference layer by layer on `qemu-m4`, at most."""

GOALS: tuple[Goal, ...] = (
    *_least_memory("mbv2_035_144_random_int8", InputMode.STREAMED, 1.0, 1.05),
    *_least_memory("mbv2_035_144_random_int8", InputMode.REREAD, 1.05, 1.2),
    *_least_memory("mbv2_035_224_random_int8", InputMode.STREAMED, 1.0, 1.05),
    *_least_memory("mbv2_100_224_random_int8", InputMode.STREAMED, 1.0, 1.05),
    *_within("mbv2_100_224_random_int8", 64, "qemu-m4"),
    *_least_memory("vww_mcunet_80_tinyengine", InputMode.STREAMED, 1.0, 1.05),
    *_least_memory("vww_mcunet_80_tinyengine", InputMode.RESIDENT, 1.0),
    *_least_memory("persondet_mcunetv2_128x160_tinyengine", InputMode.STREAMED, 1.0),
    *_least_memory("persondet_mcunetv2_128x160_tinyengine", InputMode.RESIDENT, 1.0),
    *_least_memory("imagenet_mcunetv2_large_224_tinyengine", InputMode.STREAMED, 1.0, 1.05, 1.15, 1.4),
    *_within("imagenet_mcunetv2_large_224_tinyengine", 128, "h7"),
    *_least_memory("vww_mobilenetv1_025_96_mlperf_int8", InputMode.STREAMED, 1.0),
    *_least_memory("cifar10_resnet8_mlperf_int8", InputMode.STREAMED, 1.0),
    *_least_memory("kws_dscnn_mlperf_int8", InputMode.STREAMED, 1.0),
    *_least_memory("anomaly_fc_ae_mlperf_int8", InputMode.STREAMED, 1.0),
    *_least_memory("helmet", InputMode.STREAMED, 1.0),
)
