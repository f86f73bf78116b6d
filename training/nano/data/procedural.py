"""Surfaces drawn from noise: seamless tiles for every surface word, without photos.

All tiles are (N, N, 3) float32, 0 to 255, and repeat without a seam because the noise is made in Fourier space
and everything else wraps around.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import partial

import cv2
import numpy as np

Tile = np.ndarray
Colour = tuple[int, int, int]


def noise(
    rng: np.random.Generator, size: int, *, slope: float = 1.0, stretch: float = 1.0, coarse: float = 0.0
) -> np.ndarray:
    """Draw (size, size) periodic noise, mean 0, std 1.

    Args:
        slope: fall of the amplitude with frequency; 0 = white, 2 = clouds.
        stretch: above 1 draws it out horizontally, below 1 vertically.
        coarse: frequencies below this many waves a tile are left out.
    """
    fy = np.fft.fftfreq(size)[:, None] * size / stretch**0.5
    fx = np.fft.rfftfreq(size)[None, :] * size * stretch**0.5
    radius = np.sqrt(fy**2 + fx**2)
    amplitude = np.where(radius > max(coarse, 0.5), np.maximum(radius, 0.5) ** -slope, 0.0)
    white = np.fft.rfft2(rng.standard_normal((size, size)))
    field = np.fft.irfft2(white * amplitude, s=(size, size))
    return np.asarray((field / (field.std() + 1e-9)).astype(np.float32))


def tinted(field: np.ndarray, colour: Colour, rng: np.random.Generator, amount: float) -> Tile:
    """Draw a jittered colour, lightened and darkened by a field of std 1."""
    base = np.array(colour, np.float32) * rng.uniform(0.8, 1.2) * rng.uniform(0.97, 1.03, 3)
    return base * np.clip(1 + amount * field, 0.1, 2.2)[..., None].astype(np.float32)


def rough(
    rng: np.random.Generator,
    size: int,
    *,
    colours: tuple[Colour, ...],
    slope: float,
    amount: float,
    fine: float,
) -> Tile:
    """Draw earth-like surfaces: noise on several scales, two colours mixed in patches."""
    first, second = colours[rng.integers(len(colours))], colours[rng.integers(len(colours))]
    field = noise(rng, size, slope=slope * rng.uniform(0.8, 1.2))
    grain = noise(rng, size, slope=0.2, coarse=size / 8)
    patches = 1 / (1 + np.exp(-2 * noise(rng, size, slope=1.8)))[..., None]
    light = field * amount * rng.uniform(0.6, 1.4) + grain * fine * rng.uniform(0.6, 1.4)
    return np.asarray(
        tinted(light, first, rng, 1.0) * patches + tinted(light, second, rng, 1.0) * (1 - patches)
    )


def cells(rng: np.random.Generator, size: int, count: int) -> tuple[np.ndarray, np.ndarray]:
    """Draw periodic Voronoi cells: (size, size) index of the nearest point, and distance to the border in pixels."""
    grid = max(2, round(count**0.5))
    step = size / grid
    iy, ix = np.mgrid[0:grid, 0:grid]
    points = (np.stack([iy, ix], -1).reshape(-1, 2) + rng.uniform(0, 0.95, (grid * grid, 2))) * step
    y, x = np.mgrid[0:size, 0:size].astype(np.float32)
    cy, cx = (y // step).astype(int), (x // step).astype(int)
    nearest, index = np.full((2, size, size), 1e9, np.float32), np.zeros((size, size), int)
    for dy in (-1, 0, 1):
        for dx in (-1, 0, 1):
            number = (cy + dy) % grid * grid + (cx + dx) % grid
            gap = np.abs(points[number] - np.stack([y, x], -1))
            gap = np.minimum(gap, size - gap)
            distance = np.hypot(gap[..., 0], gap[..., 1]).astype(np.float32)
            closer = distance < nearest[0]
            nearest[1] = np.where(closer, nearest[0], np.minimum(nearest[1], distance))
            index = np.where(closer, number, index)
            nearest[0] = np.where(closer, distance, nearest[0])
    return index, (nearest[1] - nearest[0]) / 2


def stones(
    rng: np.random.Generator, size: int, *, counts: tuple[int, int], colours: tuple[Colour, ...], joint: float
) -> Tile:
    """Draw pebbles, cobbles or chips: each cell has its own shade, dark between, lighter towards the middle."""
    index, border = cells(rng, size, int(rng.integers(*counts)))
    palette = np.array(colours, np.float32)[rng.integers(len(colours), size=index.max() + 1)]
    palette = palette * rng.uniform(0.7, 1.25, (len(palette), 1)).astype(np.float32)
    edge = np.clip(border / (joint * rng.uniform(1.0, 2.0) + 1e-3), 0, 1)[..., None]
    shade = 1 + 0.12 * noise(rng, size, slope=0.8)[..., None]
    joint_colour = np.array(colours[0], np.float32) * 0.35
    return np.asarray((palette[index] * edge + joint_colour * (1 - edge)) * shade * rng.uniform(0.85, 1.15))


def courses(
    rng: np.random.Generator,
    size: int,
    *,
    rows: tuple[int, ...],
    columns: tuple[int, ...],
    colours: tuple[Colour, ...],
    joint: Colour,
    offset: float,
) -> Tile:
    """Draw bricks, tiles, planks or pavers: a grid of pieces with joints, every other row shifted sideways."""
    across, along = int(rng.choice(rows)), int(rng.choice(columns))
    y, x = np.mgrid[0:size, 0:size].astype(np.float32)
    row = (y * across / size).astype(int)
    moved = x + (row % 2) * offset * size / along
    column = (moved * along / size).astype(int) % along
    py, px = (y * across / size) % 1 * (size / across), (moved * along / size) % 1 * (size / along)
    width = rng.uniform(2.0, 4.0)
    inside = (np.minimum(py, px) > width).astype(np.float32)[..., None]
    inside = cv2.GaussianBlur(inside, (3, 3), 0.6)[..., None]
    own = rng.uniform(0.72, 1.22, (across, along)).astype(np.float32)[row, column][..., None]
    base = tinted(
        noise(rng, size, slope=0.9), colours[rng.integers(len(colours))], rng, rng.uniform(0.03, 0.12)
    )
    return np.asarray(
        base * own * inside + tinted(noise(rng, size, slope=0.6), joint, rng, 0.08) * (1 - inside)
    )


def planks(rng: np.random.Generator, size: int, *, colours: tuple[Colour, ...], joints: bool) -> Tile:
    """Draw wood: grain along x, with or without the joints of boards."""
    grain = noise(rng, size, slope=1.0, stretch=25.0) * 0.7 + noise(rng, size, slope=0.5, stretch=10.0) * 0.3
    wood = tinted(grain, colours[rng.integers(len(colours))], rng, rng.uniform(0.07, 0.2))
    if not joints:
        return wood
    boards = 4
    y = np.arange(size)
    row = y * boards // size
    own = rng.uniform(0.75, 1.2, boards)[row][:, None, None]
    gap = np.where(y * boards % size < boards * rng.uniform(2.0, 4.0), rng.uniform(0.2, 0.4), 1.0)[
        :, None, None
    ]
    return (wood * own * gap).astype(np.float32)


def woven(rng: np.random.Generator, size: int, *, fine: bool) -> Tile:
    """Draw cloth, carpet or wallpaper: threads, stripes or dots in two random colours."""
    y, x = np.mgrid[0:size, 0:size] * (2 * np.pi / size)
    waves = int(rng.choice([16, 21, 32, 42]) if fine else rng.choice([3, 4]))
    pattern = [np.sin(waves * x) * np.sin(waves * y), np.sin(waves * x), np.sin(waves * (x + y)),
               np.sign(np.sin(waves * x) * np.sin(waves * y)), np.cos(waves * x) + np.cos(waves * y)]  # fmt: skip
    share = np.clip(0.5 + 0.4 * pattern[rng.integers(len(pattern))], 0, 1)[..., None]
    first = rng.uniform(20, 235, 3)
    second = first * rng.uniform(0.6, 0.9) if fine or rng.random() < 0.5 else rng.uniform(20, 235, 3)
    tile = first * share + second * (1 - share)
    return np.asarray(
        (tile * (1 + rng.uniform(0.03, 0.1) * noise(rng, size, slope=0.3)[..., None])).astype(np.float32)
    )


def checked(rng: np.random.Generator, size: int) -> Tile:
    """Draw checked cloth: bands in one colour and white or dark, with soft folds."""
    bands = int(rng.choice([3, 4]))
    y, x = np.mgrid[0:size, 0:size].astype(np.float32) * (bands / size) % 1
    base = np.array(rng.choice([235.0, 225.0, 60.0]) * rng.uniform(0.9, 1.05, 3), np.float32)
    colour = rng.uniform(25, 225, 3).astype(np.float32)
    width = rng.uniform(0.35, 0.6)
    cover = 0.5 * ((y < width).astype(np.float32) + (x < width).astype(np.float32))[..., None]
    folds = 1 + 0.1 * noise(rng, size, slope=2.0)[..., None]
    return np.asarray((base * (1 - cover) + colour * cover) * folds)


def corrugated(rng: np.random.Generator, size: int, *, colours: tuple[Colour, ...]) -> Tile:
    """Draw cardboard: a plain brown sheet with faint vertical flutes."""
    waves = int(rng.choice([5, 6]))
    flutes = np.sin(np.arange(size) * (2 * np.pi * waves / size)).astype(np.float32)[None, :]
    field = rng.uniform(0.04, 0.09) * flutes + 0.03 * noise(rng, size, slope=1.4)
    return tinted(field, colours[rng.integers(len(colours))], rng, 1.0)


def ridged(rng: np.random.Generator, size: int, *, colours: tuple[Colour, ...], vein: Colour) -> Tile:
    """Draw marble: thin veins where a cloud field crosses zero."""
    field = noise(rng, size, slope=1.7) + 0.25 * noise(rng, size, slope=1.0)
    veins = np.exp(-np.abs(field) * rng.uniform(4, 12))[..., None] * rng.uniform(0.4, 0.9)
    base = tinted(noise(rng, size, slope=1.8), colours[rng.integers(len(colours))], rng, 0.06)
    return base * (1 - veins) + np.array(vein, np.float32) * veins


def rusted(rng: np.random.Generator, size: int) -> Tile:
    """Draw grey metal with brown and orange patches."""
    rust = rough(
        rng, size, colours=((150, 75, 35), (110, 55, 30), (180, 100, 50)), slope=1.0, amount=0.2, fine=0.1
    )
    steel = tinted(noise(rng, size, slope=0.8), (120, 122, 125), rng, 0.08)
    share = 1 / (1 + np.exp(-4 * (noise(rng, size, slope=1.4) + rng.uniform(-0.2, 1.2))))[..., None]
    return (rust * share + steel * (1 - share)).astype(np.float32)


def rippled(rng: np.random.Generator, size: int, *, colours: tuple[Colour, ...], sparkle: float) -> Tile:
    """Draw water or wind-blown sand: waves across, with crests."""
    waves = noise(
        rng, size, slope=rng.uniform(1.0, 1.5), stretch=rng.uniform(3.0, 10.0), coarse=rng.uniform(2, 6)
    )
    crest = np.clip(waves - 1.2, 0, 2)[..., None] * sparkle
    return tinted(waves, colours[rng.integers(len(colours))], rng, rng.uniform(0.06, 0.2)) + crest


def blades(
    rng: np.random.Generator,
    size: int,
    *,
    colours: tuple[Colour, ...],
    length: tuple[float, float],
    width: float,
) -> Tile:
    """Draw grass or leaves: many small strokes or ellipses, wrapped around the borders."""
    tile = np.ones((size, size, 3), np.float32) * np.array(colours[0], np.float32) * 0.45
    for _ in range(int(22_000 / (length[1] * (1 + width * length[1])))):
        colour = np.array(colours[rng.integers(len(colours))]) * rng.uniform(0.6, 1.25)
        reach, turn = rng.uniform(*length), rng.uniform(0, 180) if width > 0.3 else rng.uniform(50, 130)
        at = rng.uniform(0, size, 2)
        for dy in (0, -size if at[1] > size / 2 else size):
            for dx in (0, -size if at[0] > size / 2 else size):
                centre = (at[0] + dx, at[1] + dy)
                if -reach < centre[0] < size + reach and -reach < centre[1] < size + reach:
                    box = (centre, (2 * reach, max(1.2, 2 * reach * width)), turn)
                    cv2.ellipse(tile, box, tuple(float(c) for c in colour), -1, cv2.LINE_AA)
    return tile * (1 + 0.08 * noise(rng, size, slope=1.5)[..., None])


def studded(rng: np.random.Generator, size: int) -> Tile:
    """Draw diamond plate: raised lozenges, alternately leaning left and right."""
    tile = tinted(noise(rng, size, slope=0.6, stretch=0.25), (135, 138, 142), rng, 0.06)
    count = 4
    step = size / count
    for row in range(-1, count + 1):
        for column in range(-1, count + 1):
            centre = ((column + 0.5) * step, (row + 0.5) * step)
            turn = 45 if (row + column) % 2 else -45
            for shift, level in ((1.2, 70.0), (-0.8, 225.0), (0.0, 175.0)):
                moved = (centre[0] + shift, centre[1] + shift)
                cv2.ellipse(tile, (moved, (step * 0.8, step * 0.22), turn), (level,) * 3, -1, cv2.LINE_AA)
    return tile


def scaled(rng: np.random.Generator, size: int) -> Tile:
    """Draw roofing tiles: rows of curved pieces with a shadow below each row."""
    rows, along = 4, 4
    y, x = np.mgrid[0:size, 0:size].astype(np.float32)
    row = (y * rows / size).astype(int)
    down = (y * rows / size) % 1
    across = np.abs(((x + (row % 2) * size / along / 2) * along / size) % 1 - 0.5) * 2
    shade = (0.55 + 0.45 * np.clip(down * 4, 0, 1)) * (0.65 + 0.35 * np.cos(across * 1.4))
    colours: tuple[Colour, ...] = ((165, 80, 55), (120, 65, 50), (90, 90, 95), (70, 75, 90))
    base = tinted(noise(rng, size, slope=0.8), colours[rng.integers(len(colours))], rng, 0.08)
    return np.asarray((base * shade[..., None]).astype(np.float32))


STONE_GREYS: tuple[Colour, ...] = ((135, 132, 128), (165, 160, 150), (105, 105, 108), (150, 135, 115))
ANY: tuple[Colour, ...] = (
    (220, 220, 215),
    (60, 100, 170),
    (70, 140, 120),
    (180, 70, 60),
    (40, 45, 50),
    (215, 190, 150),
)
WOODS: tuple[Colour, ...] = ((165, 115, 70), (120, 80, 50), (200, 160, 110), (90, 60, 42), (150, 140, 125))
GREENS: tuple[Colour, ...] = ((75, 120, 45), (95, 140, 55), (55, 100, 40), (130, 150, 70))

SURFACE_DRAWERS: dict[str, Callable[[np.random.Generator, int], Tile]] = {
    "asphalt": partial(rough, colours=((75, 75, 78), (95, 95, 95), (60, 60, 62)), slope=1.3, amount=0.06, fine=0.22),
    "bricks": partial(courses, rows=(4,), columns=(2,), offset=0.5, joint=(180, 175, 165),
                      colours=((165, 80, 60), (140, 65, 50), (180, 110, 80), (150, 140, 130), (205, 195, 185))),
    "cardboard": partial(corrugated, colours=((185, 145, 100), (170, 130, 90), (200, 165, 120))),
    "carpet": partial(woven, fine=True),
    "concrete": partial(rough, colours=((160, 160, 155), (140, 140, 138), (175, 172, 165)), slope=1.5, amount=0.06,
                        fine=0.03),
    "diamond plate": studded,
    "fabric": checked,
    "granite": partial(stones, counts=(300, 800), colours=((110, 105, 105), (180, 175, 170), (60, 58, 60)), joint=0.1),
    "grass": partial(blades, colours=GREENS, length=(4.0, 9.0), width=0.13),
    "gravel": partial(stones, counts=(60, 200), colours=STONE_GREYS, joint=2.0),
    "leaves": partial(blades, colours=((150, 95, 40), (175, 120, 45), (120, 65, 30), (140, 50, 30), (110, 120, 50)),
                      length=(7.0, 14.0), width=0.55),
    "marble": partial(ridged, colours=((228, 226, 222), (60, 62, 66), (205, 190, 170), (110, 130, 120)),
                      vein=(150, 145, 140)),
    "metal": partial(planks, colours=((165, 168, 172), (130, 132, 136), (190, 192, 195)), joints=False),
    "moss": partial(rough, colours=((85, 110, 40), (110, 130, 50), (60, 85, 35)), slope=0.9, amount=0.2, fine=0.15),
    "paving stones": partial(courses, rows=(4,), columns=(4,), offset=0.5, joint=(55, 53, 50),
                             colours=STONE_GREYS),
    "plaster": partial(rough, colours=((225, 220, 210), (205, 195, 180), (215, 215, 215)), slope=1.1, amount=0.04,
                       fine=0.015),
    "rock": partial(rough, colours=((125, 120, 112), (100, 96, 92), (150, 138, 120)), slope=1.4, amount=0.25,
                    fine=0.05),
    "roofing tiles": scaled,
    "rusty metal": rusted,
    "sand": partial(rippled, colours=((215, 185, 135), (200, 170, 120), (228, 205, 160)), sparkle=6.0),
    "snow": partial(rough, colours=((236, 240, 246), (225, 232, 242)), slope=1.6, amount=0.035, fine=0.012),
    "soil": partial(rough, colours=((95, 70, 48), (75, 55, 40), (120, 92, 65)), slope=0.9, amount=0.2, fine=0.15),
    "terrazzo": partial(stones, counts=(80, 250), joint=1.2,
                        colours=((215, 210, 200), (120, 115, 110), (190, 150, 120), (90, 110, 100), (235, 232, 225))),
    "tiles": partial(courses, rows=(4,), columns=(4,), colours=ANY, joint=(205, 203, 198), offset=0.0),
    "wallpaper": partial(woven, fine=False),
    "water": partial(rippled, colours=((45, 95, 130), (40, 110, 120), (60, 120, 165), (35, 70, 95)), sparkle=60.0),
    "wood": partial(planks, colours=WOODS, joints=False),
    "wooden planks": partial(planks, colours=WOODS, joints=True),
}  # fmt: skip
