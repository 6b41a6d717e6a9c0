"""Draws the work-site scenes that ship beside the photos: `python draw.py` writes site_*.jpg, always the same bytes.

Nobody owns them but this project. Each worker is a few shaded ellipses: skin, hair or a helmet, shoulders, a vest.
"""

from __future__ import annotations

from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageDraw, ImageFilter

SIZE = (384, 256)
SCALE = 4  # drawn larger, then reduced: smooth edges
SKIN = [(224, 172, 136), (198, 134, 96), (141, 92, 62)]
HELMETS = [(228, 60, 40), (245, 190, 30), (240, 240, 236), (40, 96, 190)]
SHIRTS = [(220, 110, 40), (60, 70, 110), (190, 200, 205), (60, 100, 80)]
VEST = (210, 230, 60)

Box = tuple[float, float, float, float]


def shaded(
    layer: Image.Image, box: Box, colour: tuple[int, int, int], kind: str = "ellipse", start: int = 0, end: int = 360
) -> None:
    """A shape that is lighter towards its upper left."""
    mask = Image.new("L", layer.size)
    pen = ImageDraw.Draw(mask)
    if kind == "ellipse":
        pen.pieslice(box, start, end, fill=255)
    else:
        pen.rounded_rectangle(box, radius=(box[2] - box[0]) / 5, fill=255)
    x = np.linspace(0, 1, layer.size[0])[None, :] * layer.size[0]
    y = np.linspace(0, 1, layer.size[1])[:, None] * layer.size[1]
    across = np.clip((x - box[0]) / (box[2] - box[0]), 0, 1)
    down = np.clip((y - box[1]) / (box[3] - box[1]), 0, 1)
    light = 1.18 - 0.38 * across - 0.35 * down
    pixels = np.clip(np.asarray(colour)[None, None] * light[..., None], 0, 255).astype(np.uint8)
    layer.paste(Image.fromarray(pixels), (0, 0), mask)


def worker(scene: Image.Image, rng: np.random.Generator, x: float, y: float, head: float, helmet: bool) -> None:
    """A person whose head is `head` pixels high, its centre at (x, y)."""
    shirt = SHIRTS[rng.integers(len(SHIRTS))]
    skin = SKIN[rng.integers(len(SKIN))]
    w = head * 0.76
    shaded(scene, (x - head, y + head * 0.62, x + head, y + head * 4.4), shirt, "rounded")
    if helmet:
        for side in (-0.55, 0.25):
            shaded(scene, (x + head * side, y + head * 0.7, x + head * (side + 0.3), y + head * 4.2), VEST, "rounded")
    shaded(scene, (x - w * 0.25, y + head * 0.2, x + w * 0.25, y + head * 0.8), skin, "rounded")
    shaded(scene, (x - w / 2, y - head * 0.45, x + w / 2, y + head * 0.5), skin)
    pen = ImageDraw.Draw(scene)
    for side in (-0.2, 0.2):
        pen.ellipse(
            (x + w * side - w * 0.06, y - head * 0.02, x + w * side + w * 0.06, y + head * 0.06), fill=(40, 28, 24)
        )
    pen.arc(
        (x - w * 0.18, y + head * 0.1, x + w * 0.18, y + head * 0.3),
        20,
        160,
        fill=(120, 50, 45),
        width=max(1, int(head / 24)),
    )
    if helmet:
        colour = HELMETS[rng.integers(len(HELMETS))]
        shaded(scene, (x - w * 0.6, y - head * 0.68, x + w * 0.6, y + head * 0.3), colour, start=180, end=360)
        shaded(scene, (x - w * 0.68, y - head * 0.26, x + w * 0.68, y - head * 0.12), colour, "rounded")
        pen.line(
            (x, y - head * 0.68, x, y - head * 0.26),
            fill=tuple(int(c * 0.8) for c in colour),
            width=max(1, int(head / 14)),
        )
    else:
        shaded(scene, (x - w * 0.54, y - head * 0.55, x + w * 0.54, y + head * 0.22), (46, 34, 28), start=180, end=360)


def background(rng: np.random.Generator) -> Image.Image:
    """Sky, buildings, ground, scaffolding, all a little noisy."""
    width, height = SIZE[0] * SCALE, SIZE[1] * SCALE
    horizon = int(height * rng.uniform(0.42, 0.55))
    rows = np.linspace(0, 1, height)[:, None, None]
    sky = np.array([190, 208, 226]) - 30 * rows
    ground = np.array([142, 122, 98]) + 36 * (rows - 0.5)
    base: NDArray[np.float64] = np.where(np.arange(height)[:, None, None] < horizon, sky, ground) * np.ones(
        (1, width, 1)
    )
    scene = Image.fromarray(np.clip(base, 0, 255).astype(np.uint8))
    pen = ImageDraw.Draw(scene)
    for _ in range(5):
        left, wide = rng.uniform(0, width), rng.uniform(0.08, 0.22) * width
        top, grey = rng.uniform(0.1, 0.35) * height, int(rng.integers(110, 180))
        pen.rectangle((left, top, left + wide, horizon), fill=(grey, grey - 6, grey - 14))
        for wx in np.arange(left + 20, left + wide - 30, 60):
            for wy in np.arange(top + 24, horizon - 30, 70):
                pen.rectangle((wx, wy, wx + 30, wy + 40), fill=(grey - 50, grey - 40, grey - 30))
    for x in np.arange(0, width, width / 9):
        pen.line((x, height * 0.2, x, height * 0.75), fill=(150, 140, 60), width=8)
    return scene


def draw(seed: int, people: list[tuple[float, float, float, bool]]) -> Image.Image:
    rng = np.random.default_rng(seed)
    scene = background(rng)
    for x, y, head, helmet in sorted(people, key=lambda p: p[2]):
        worker(scene, rng, x * SIZE[0] * SCALE, y * SIZE[1] * SCALE, head * SIZE[1] * SCALE, helmet)
    small = scene.resize(SIZE, Image.Resampling.LANCZOS).filter(ImageFilter.GaussianBlur(0.6))
    noise = rng.normal(0, 5, (SIZE[1], SIZE[0], 3))
    return Image.fromarray(np.clip(np.asarray(small) + noise, 0, 255).astype(np.uint8))


SCENES = {
    "site_crew": (
        1,
        [(0.15, 0.42, 0.15, True), (0.38, 0.36, 0.17, True), (0.62, 0.40, 0.16, False), (0.86, 0.38, 0.15, True)],
    ),
    "site_pair": (5, [(0.33, 0.40, 0.24, True), (0.68, 0.45, 0.22, False)]),
    "site_far": (
        9,
        [
            (0.12, 0.52, 0.10, True),
            (0.3, 0.5, 0.09, True),
            (0.5, 0.53, 0.11, False),
            (0.7, 0.5, 0.1, True),
            (0.88, 0.55, 0.12, False),
        ],
    ),
}

if __name__ == "__main__":
    for name, (seed, people) in SCENES.items():
        draw(seed, people).save(Path(__file__).with_name(f"{name}.jpg"), quality=88)
