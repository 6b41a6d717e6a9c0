"""Published and measured figures of other engines, to stand beside ours. Sources are in the comments."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Peer:
    """TensorFlow Lite Micro with CMSIS-NN on the same simulated Cortex-M4 (QEMU mps2-an386, -icount, gcc 12.2 -O2;
    tflite-micro 90b983c2, CMSIS-NN 99f736a6): arena used in bytes, thousand instructions of one Invoke()."""

    arena_bytes: int
    k_instructions: int


TFLM: dict[str, Peer] = {
    "anomaly_fc_ae_mlperf_int8": Peer(2_580, 583),
    "kws_dscnn_mlperf_int8": Peer(22_820, 7_701),
    "vww_mobilenetv1_025_96_mlperf_int8": Peer(100_708, 24_102),
    "person_grayscale_96_tflm_int8": Peer(82_308, 22_928),
    "cifar10_resnet8_mlperf_int8": Peer(54_996, 29_864),
    "vww_mcunet_80_tinyengine": Peer(219_808, 48_625),
    "persondet_mcunetv2_128x160_tinyengine": Peer(379_968, 75_971),
    "imagenet_mcunetv2_large_224_tinyengine": Peer(2_602_112, 862_732),
}
