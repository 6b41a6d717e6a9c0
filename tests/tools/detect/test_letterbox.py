from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from PIL import Image

from tessera.detect.letterbox import GREY, fit, letterbox

SIDES = st.integers(1, 4000)


@given(SIDES, SIDES, st.sampled_from([96, 192, 224]), st.floats(0, 1), st.floats(0, 1))
def test_there_and_back(w: int, h: int, size: int, u: float, v: float) -> None:
    box = fit(w, h, size)
    x, y = box.to_photo(*box.to_input(u * w, v * h))
    assert x == pytest.approx(u * w, abs=1e-6 * w)
    assert y == pytest.approx(v * h, abs=1e-6 * h)


@given(SIDES, SIDES, st.sampled_from([96, 192, 224]))
def test_it_fits_centred_and_touches_two_edges(w: int, h: int, size: int) -> None:
    box = fit(w, h, size)
    assert max(box.w, box.h) == size
    assert abs(size - box.w - 2 * box.left) <= 1
    assert abs(size - box.h - 2 * box.top) <= 1


def test_points_in_the_padding_are_clipped() -> None:
    assert fit(400, 200, 192).to_photo(-5, 0) == (0, 0)
    assert fit(400, 200, 192).to_photo(192, 192) == (400, 200)


def test_pixels_are_values_minus_128_with_grey_around() -> None:
    pixels, box = letterbox(Image.new("RGB", (64, 32), (255, 0, 128)), 64)
    assert (box.left, box.top) == (0, 16)
    assert pixels.dtype == np.int8
    assert pixels.shape == (64, 64, 3)
    assert (pixels[:16] == GREY - 128).all()
    assert (pixels[48:] == GREY - 128).all()
    assert (pixels[16:48] == np.array([127, -128, 0])).all()


def test_other_modes_become_rgb() -> None:
    pixels, _ = letterbox(Image.new("L", (10, 10), 200), 16)
    assert (pixels == 72).all()


def test_a_photo_on_its_side_is_turned_upright() -> None:
    photo = Image.new("RGB", (40, 20))
    exif = Image.Exif()
    exif[0x0112] = 6  # orientation: rotate by 90 degrees
    path_free = photo.copy()
    path_free.info["exif"] = exif.tobytes()
    _, box = letterbox(path_free, 64)
    assert (box.photo_w, box.photo_h) == (20, 40)
