"""A photo to the detector's int8 input, and boxes back to the photo."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageOps

GREY = 114  # the padding's value in all channels


@dataclass(frozen=True, slots=True)
class Letterbox:
    """A photo of photo_w x photo_h px, scaled to w x h and put at (left, top) of a square input of `size` px."""

    size: int
    photo_w: int
    photo_h: int
    w: int
    h: int
    left: int
    top: int

    def to_photo(self, x: float, y: float) -> tuple[float, float]:
        """A point of the input, in px, to the photo, clipped to it."""
        px = (x - self.left) * self.photo_w / self.w
        py = (y - self.top) * self.photo_h / self.h
        return min(max(px, 0.0), float(self.photo_w)), min(max(py, 0.0), float(self.photo_h))

    def to_input(self, x: float, y: float) -> tuple[float, float]:
        """A point of the photo, in px, to the input."""
        return x * self.w / self.photo_w + self.left, y * self.h / self.photo_h + self.top


def fit(photo_w: int, photo_h: int, size: int) -> Letterbox:
    scale = size / max(photo_w, photo_h)
    w, h = max(1, round(photo_w * scale)), max(1, round(photo_h * scale))
    return Letterbox(size, photo_w, photo_h, w, h, (size - w) // 2, (size - h) // 2)


def letterbox(photo: Image.Image, size: int) -> tuple[NDArray[np.int8], Letterbox]:
    """int8 [size, size, 3], RGB, pixel - 128: what an input with scale 1/255 and zero point -128 expects."""
    upright = ImageOps.exif_transpose(photo).convert("RGB")
    box = fit(upright.width, upright.height, size)
    canvas = Image.new("RGB", (size, size), (GREY, GREY, GREY))
    canvas.paste(upright.resize((box.w, box.h), Image.Resampling.BILINEAR), (box.left, box.top))
    pixels = np.asarray(canvas, dtype=np.uint8)
    return (pixels ^ np.uint8(128)).view(np.int8), box
