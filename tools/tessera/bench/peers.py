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


@dataclass(frozen=True, slots=True)
class SpeedPeer:
    """The fewest thousand instructions of other engines on the same simulated Cortex-M4, gcc 12.2 -O2 or -O3: of those
    whose outputs equal LiteRT's reference kernels, and where there are such of those that differ."""

    who: str
    k_instructions: int
    inexact: int | None = None  # TinyEngine, generated code with float32 requantization


TINY_ENGINE, TFLM_CMSIS = "TinyEngine", "TFLM + CMSIS-NN"
SPEED_PEERS: dict[str, SpeedPeer] = {
    "anomaly_fc_ae_mlperf_int8": SpeedPeer(TFLM_CMSIS, 582, None),
    "kws_dscnn_mlperf_int8": SpeedPeer(TFLM_CMSIS, 7_701, None),
    "vww_mobilenetv1_025_96_mlperf_int8": SpeedPeer(TFLM_CMSIS, 24_102, 19_712),
    "person_grayscale_96_tflm_int8": SpeedPeer(TFLM_CMSIS, 22_928, 18_767),
    "cifar10_resnet8_mlperf_int8": SpeedPeer(TFLM_CMSIS, 29_864, None),
    "vww_mcunet_80_tinyengine": SpeedPeer(TINY_ENGINE, 43_156, 34_745),
    "persondet_mcunetv2_128x160_tinyengine": SpeedPeer(TFLM_CMSIS, 75_971, None),
    "imagenet_mcunetv2_large_224_tinyengine": SpeedPeer(TFLM_CMSIS, 857_214, 516_986),
}


@dataclass(frozen=True, slots=True)
class PeerPoint:
    """What another engine needs for a model: bytes of RAM, and MACs relative to computing everything once.

    `image`: the bytes hold the input image. `factor` None: not published.
    """

    who: str
    nbytes: int
    factor: float | None
    image: bool


def _msf_cnn(*points: tuple[float, float]) -> tuple[PeerPoint, ...]:
    """kB and factor. arXiv 2505.11483, result.json of TinyPART/msf-CNN: peaks measured on an STM32F767; parts of the
    image are read from elsewhere."""
    return tuple(PeerPoint("msf-CNN", round(1000 * kb), factor, image=False) for kb, factor in points)


PEER_POINTS: dict[str, tuple[PeerPoint, ...]] = {
    "mbv2_035_144_random_int8": (
        # arXiv 2110.15352, table 2: measured on an STM32F412
        PeerPoint("TinyEngine", 308 * 1024, 1.0, image=True),
        *_msf_cnn((194.4, 1.0), (83.1, 1.019), (68.0, 1.10), (25.8, 1.25), (21.4, 1.30), (15.2, 1.38), (8.56, 1.68)),
    ),
    "mbv2_035_224_random_int8": (
        # stm32ai-modelzoo, image classification, STM32H747, X-CUBE-AI 10: activations
        PeerPoint("X-CUBE-AI 10", round(832.6 * 1024), 1.0, image=True),
    ),
    "mbv2_100_224_random_int8": (
        # arXiv 2110.15352, table 1: analytic; the image is decoded patch by patch (mcunet issue 9)
        PeerPoint("layer by layer (MCUNetV2)", 1372 * 1024, 1.0, image=False),
        PeerPoint("MCUNetV2, 4x4 patches", 172 * 1024, 1.10, image=False),
        PeerPoint("X-CUBE-AI 10", 1727 * 1024, 1.0, image=True),  # as above
    ),
    "vww_mcunet_80_tinyengine": (
        # TinyEngine 47bb283: its generated buffers; 2x2 patches of 5 operators read an image that lies elsewhere
        PeerPoint("TinyEngine", 93_992, 1.0, image=True),
        PeerPoint("TinyEngine, 2x2 patches", 62_352, None, image=False),
        # TinyEngine's README, STM32H743
        PeerPoint("X-CUBE-AI 7.3", 113 * 1024, 1.0, image=True),
        *_msf_cnn((96.0, 1.0), (45.3, 1.04), (26.2, 1.11), (20.6, 1.30), (17.9, 1.35), (15.4, 1.96)),
    ),
    "imagenet_mcunetv2_large_224_tinyengine": (
        # TinyEngine 47bb283: its generated buffers; 4x4 patches of 8 operators read an image that lies elsewhere
        PeerPoint("TinyEngine", 1_431_784, 1.0, image=True),
        PeerPoint("TinyEngine, 4x4 patches", 444_168, None, image=False),
    ),
}


def peer_points(model: str) -> tuple[PeerPoint, ...]:
    """All that is known of a model, the arenas of TFLM among it."""
    tflm = TFLM.get(model)
    known = PEER_POINTS.get(model, ())
    return known if tflm is None else (PeerPoint("TFLM", tflm.arena_bytes, 1.0, image=True), *known)


def best_peer(model: str, nbytes: int, factor: float, *, with_image: bool) -> PeerPoint | None:
    """What to hold a result of `nbytes` at `factor` against: the least memory of other engines at no more work, at work
    that is not published, or at more work if it is more memory all the same. `with_image`: only of those that count the
    image."""
    points = [
        p
        for p in peer_points(model)
        if (p.factor is None or p.factor <= factor or p.nbytes > nbytes) and (p.image or not with_image)
    ]
    return min(points, key=lambda p: p.nbytes, default=None)


@dataclass(frozen=True, slots=True)
class PatchTable:
    """A row of MCUNetV2's table 1 (arXiv 2110.15352); `layers`: what its n = 5 blocks are in operators here."""

    layers: int
    patches: int
    patch: int
    patch_macs: int
    patch_factor: float
    model_macs: int
    model_factor: float
    layerwise_kib: int
    patched_kib: int


MCUNETV2_TABLE_1 = {
    "mobilenetv2": PatchTable(13, 4, 75, 130_000_000, 1.42, 330_000_000, 1.10, 1372, 172),
    "mobilenetv2_rd": PatchTable(9, 4, 63, 73_000_000, 1.18, 301_000_000, 1.03, 1372, 172),
}
