"""MobileNetV2 and MobileNetV2-RD for training and export; their blocks are in tools/tessera/nets/mobilenetv2.py."""

from __future__ import annotations

from typing import Any

import keras
from keras import layers

from tessera.nets.mobilenetv2 import MOBILENETV2, Block, Net


def build(
    net: Net = MOBILENETV2, *, width: float = 1.0, size: int = 224, classes: int = 1000, batch: int | None = None
) -> keras.Model:
    """Image [N, size, size, 3] in 0..1 to logits [N, classes]. Layers have the names of `build_graph`'s operators."""
    net = net.scaled(width)
    image = keras.Input((size, size, 3), batch_size=batch, name="image")
    x = _conv(image, net.stem, 3, 2, "stem")
    for number, block in enumerate(net.blocks):
        x = _inverted_residual(x, block, f"block{number}")
    x = _conv(x, net.head, 1, 1, "head")
    x = layers.GlobalAveragePooling2D(keepdims=True, name="mean")(x)
    x = layers.Flatten(name="flat")(x)
    return keras.Model(image, layers.Dense(classes, name="classes")(x), name=net.name)


def _inverted_residual(x: Any, block: Block, name: str) -> Any:
    y = _conv(x, block.expand * x.shape[-1], 1, 1, f"{name}_expand") if block.expand > 1 else x
    y = layers.DepthwiseConv2D(block.kernel, block.stride, "same", use_bias=False, name=f"{name}_dw")(y)
    y = layers.ReLU(6.0, name=f"{name}_dw_relu")(_normalised(y, f"{name}_dw"))
    y = _conv(y, block.out, 1, 1, f"{name}_project", activation=False)
    if block.stride == 1 and block.out == x.shape[-1]:
        y = layers.Add(name=f"{name}_add")([x, y])
    return y


def _conv(x: Any, channels: int, kernel: int, stride: int, name: str, activation: bool = True) -> Any:
    x = layers.Conv2D(channels, kernel, stride, "same", use_bias=False, name=name)(x)
    x = _normalised(x, name)
    return layers.ReLU(6.0, name=f"{name}_relu")(x) if activation else x


def _normalised(x: Any, name: str) -> Any:
    return layers.BatchNormalization(momentum=0.997, epsilon=1e-3, name=f"{name}_bn")(x)
