"""The helmet detector's network: inverted residual blocks (MobileNetV2), a small feature pyramid, one head at stride 8.

Early maps are kept small on purpose: at 192x192 int8 maps that live at the same time sum up to at most 252 KB, so the
model runs layer by layer on a 512 KB part.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import keras
import tensorflow as tf
from keras import layers

SCORE_PRIOR = -4.0  # initial score logit: about 2 % of cells hold an object


@dataclass(frozen=True, slots=True)
class Block:
    """One inverted residual block: 1x1 to `expand`, depthwise `kernel` by `stride`, 1x1 linear to `out`."""

    expand: int  # 0: no expansion
    out: int
    kernel: int
    stride: int


STEM = 16
STAGES: tuple[tuple[Block, ...], ...] = (
    (Block(0, 24, 3, 2), Block(40, 24, 3, 1)),  # 48x48
    (Block(72, 32, 3, 2), Block(112, 32, 3, 1), Block(112, 32, 3, 1)),  # 24x24
    (Block(112, 64, 5, 2), Block(224, 64, 5, 1), Block(224, 64, 5, 1)),  # 12x12
    (Block(256, 112, 5, 2), Block(384, 112, 5, 1)),  # 6x6
)
NECK = 56


def _conv(x: Any, channels: int, kernel: int, stride: int, name: str, activation: bool = True) -> Any:
    x = layers.Conv2D(channels, kernel, stride, "same", use_bias=False, kernel_initializer="he_normal", name=name)(x)
    x = layers.BatchNormalization(momentum=0.97, epsilon=1e-3, name=f"{name}_bn")(x)
    return layers.ReLU(6.0, name=f"{name}_relu")(x) if activation else x


def _depthwise(x: Any, kernel: int, stride: int, name: str) -> Any:
    x = layers.DepthwiseConv2D(kernel, stride, "same", use_bias=False, depthwise_initializer="he_normal", name=name)(x)
    x = layers.BatchNormalization(momentum=0.97, epsilon=1e-3, name=f"{name}_bn")(x)
    return layers.ReLU(6.0, name=f"{name}_relu")(x)


def _inverted_residual(x: Any, block: Block, name: str) -> Any:
    y = _conv(x, block.expand, 1, 1, f"{name}_expand") if block.expand else x
    y = _depthwise(y, block.kernel, block.stride, f"{name}_dw")
    y = _conv(y, block.out, 1, 1, f"{name}_project", activation=False)
    if block.stride == 1 and x.shape[-1] == block.out:
        y = layers.Add(name=f"{name}_add")([x, y])
    return y


@keras.saving.register_keras_serializable("tessera")
class UpsampleNearest(layers.Layer):  # type: ignore[misc]
    """Twice the size, nearest. Keras' UpSampling2D converts to RESHAPE and TILE; this to RESIZE_NEAREST_NEIGHBOR."""

    def call(self, x: Any) -> Any:
        return tf.image.resize(x, (2 * x.shape[1], 2 * x.shape[2]), method="nearest")


def _head(x: Any, outputs: int, bias: float, name: str) -> Any:
    for i in range(2):
        x = _depthwise(x, 3, 1, f"{name}_{i}_dw")
        x = _conv(x, NECK, 1, 1, f"{name}_{i}_pw")
    return layers.Conv2D(
        outputs,
        1,
        kernel_initializer=keras.initializers.RandomNormal(stddev=0.01),
        bias_initializer=keras.initializers.Constant(bias),
        name=f"{name}_raw",
    )(x)


def build(size: int = 192, classes: int = 2, probabilities: bool = False, batch: int | None = None) -> keras.Model:
    """Image [N, size, size, 3] in 0..1 to (scores [N, S, S, classes], boxes [N, S, S, 4]) with S = size / 8.

    Scores are logits for training, or probabilities (a sigmoid inside the model) for export. Boxes are raw tx, ty, tw,
    th; model.toml says how they are read.
    """
    image = keras.Input((size, size, 3), batch_size=batch, name="image")
    x = _conv(image, STEM, 3, 2, "stem")
    maps = []
    for s, stage in enumerate(STAGES):
        for b, block in enumerate(stage):
            x = _inverted_residual(x, block, f"stage{s}_{b}")
        maps.append(x)
    _, at8, at16, at32 = maps
    x = _conv(at32, NECK, 1, 1, "neck32")
    x = layers.Concatenate(name="neck16_cat")([UpsampleNearest(name="up16")(x), at16])
    x = _conv(x, NECK, 1, 1, "neck16")
    x = layers.Concatenate(name="neck8_cat")([UpsampleNearest(name="up8")(x), at8])
    x = _conv(x, NECK, 1, 1, "neck8")
    scores = _head(x, classes, SCORE_PRIOR, "scores_8")
    boxes = _head(x, 4, 0.0, "boxes_8")
    if probabilities:
        scores = layers.Activation("sigmoid", name="probabilities_8")(scores)
    return keras.Model(image, (scores, boxes), name="helmet")


def macs(model: keras.Model) -> int:
    """Multiply-accumulates of the convolutions for one image."""
    total = 0
    for layer in model.layers:
        if isinstance(layer, layers.DepthwiseConv2D):
            _, h, w, c = layer.output.shape
            total += h * w * c * layer.kernel_size[0] * layer.kernel_size[1]
        elif isinstance(layer, layers.Conv2D):
            _, h, w, c = layer.output.shape
            total += h * w * c * layer.kernel_size[0] * layer.kernel_size[1] * layer.input.shape[-1]
    return total
