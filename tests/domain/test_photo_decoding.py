"""Photographs of every common kind come in as 8-bit RGB; what is no photograph is named with the reason."""

from __future__ import annotations

import struct
from io import BytesIO
from pathlib import Path

import numpy as np
import pytest
from PIL import Image, ImageCms, ImageOps

from pipeline.domain import photo_decoding
from pipeline.domain.photo_decoding import decoded_pixels, load_labels, load_photo, load_rgb
from pipeline.errors import UnreadableImage

SIZE = (48, 40)  # width, height
FIXTURES = Path(__file__).parents[1] / "fixtures"


def encoded(picture: Image.Image, kind: str = "PNG", **options: object) -> bytes:
    file = BytesIO()
    picture.save(file, kind, **options)
    return file.getvalue()


def test_a_turned_photograph_is_set_upright() -> None:
    picture = Image.new("RGB", SIZE)
    picture.paste((255, 0, 0), (0, 0, 24, 40))
    exif = Image.Exif()
    exif[0x0112] = 6  # to be turned by 90 degrees clockwise
    photo = load_photo(encoded(picture, "PNG", exif=exif), "turned.png")
    assert photo.rgb.shape == (48, 40, 3)
    assert photo.rgb[0, 0].tolist() == [255, 0, 0]
    assert photo.rgb[-1, 0].tolist() == [0, 0, 0]


@pytest.mark.parametrize(
    ("picture", "colour"),
    [
        (Image.new("L", SIZE, 77), [77, 77, 77]),
        (Image.new("1", SIZE, 1), [255, 255, 255]),
        (Image.new("RGB", SIZE, (1, 2, 3)), [1, 2, 3]),
        (Image.new("I;16", SIZE, 0x8080), [128, 128, 128]),
        (Image.new("RGB", SIZE, (200, 10, 10)).convert("P", palette=Image.Palette.ADAPTIVE), [200, 10, 10]),
    ],
    ids=["grey", "bilevel", "colour", "16 bit", "palette"],
)
def test_every_kind_becomes_8_bit_rgb(picture: Image.Image, colour: list[int]) -> None:
    photo = load_photo(encoded(picture), "photo.png")
    assert photo.rgb.dtype == np.uint8
    assert photo.rgb.shape == (40, 48, 3)
    assert photo.rgb[5, 5].tolist() == colour
    assert photo.alpha is None


def test_cmyk_is_converted() -> None:
    photo = load_photo(encoded(Image.new("CMYK", SIZE, (0, 255, 255, 0)), "JPEG", quality=100), "print.jpg")
    assert np.abs(photo.rgb[20, 20].astype(int) - [255, 0, 0]).max() < 12


def test_a_transparent_picture_gives_its_alpha_as_mask() -> None:
    picture = Image.new("RGBA", SIZE, (9, 8, 7, 255))
    picture.putpixel((3, 2), (9, 8, 7, 0))
    photo = load_photo(encoded(picture), "cut.png")
    assert photo.alpha is not None
    assert photo.alpha[2, 3] == 0
    assert photo.alpha.sum() == 255 * (48 * 40 - 1)


def test_an_alpha_that_hides_nothing_is_no_mask() -> None:
    assert load_photo(encoded(Image.new("RGBA", SIZE, (9, 8, 7, 255))), "solid.png").alpha is None


def test_of_an_animation_the_first_frame_counts() -> None:
    frames = [Image.new("RGB", SIZE, colour) for colour in ((10, 20, 30), (90, 90, 90))]
    data = encoded(frames[0], "WEBP", save_all=True, append_images=frames[1:], lossless=True)
    assert load_photo(data, "moving.webp").rgb[0, 0].tolist() == [10, 20, 30]


def test_a_large_photograph_is_brought_to_the_largest_side() -> None:
    assert load_photo(encoded(Image.new("RGB", (400, 100))), "wide.png", max_side_px=200).rgb.shape == (
        50,
        200,
        3,
    )


@pytest.mark.parametrize(
    ("data", "reason"),
    [
        (b"", "the file is empty"),
        (b"not an image at all", "not a readable image (JPEG, PNG, WebP, BMP, TIFF, GIF, AVIF, HEIC)"),
        (
            b"DDS " + (124).to_bytes(4, "little") + bytes(120),
            "not a readable image (JPEG, PNG, WebP, BMP, TIFF, GIF, AVIF, HEIC)",
        ),
        (encoded(Image.new("RGB", (31, 40))), "it is 31x40 px; at least 32 on each side are needed"),
    ],
)
def test_what_is_no_photograph_is_named_with_the_reason(data: bytes, reason: str) -> None:
    with pytest.raises(UnreadableImage) as refused:
        load_photo(data, "a.jpg")
    assert str(refused.value) == f"a.jpg: {reason}"


def test_a_file_that_is_cut_short_is_refused() -> None:
    noise = np.random.default_rng(0).integers(0, 256, (64, 64, 3), np.uint8)
    data = encoded(Image.fromarray(noise), "JPEG")
    with pytest.raises(UnreadableImage, match=r"half\.jpg: it is broken or cut short"):
        load_photo(data[: len(data) // 2], "half.jpg")


def test_a_decompression_bomb_is_refused_by_its_header(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(photo_decoding, "MAX_PIXELS", 1000)
    with pytest.raises(UnreadableImage, match=r"bomb\.png: it holds .* megapixels; at most 100 are read"):
        load_photo(encoded(Image.new("RGB", SIZE)), "bomb.png")


def tiff(samples: bytes, bits: int, *, photometric: int = 1, sample_format: int = 1) -> bytes:
    """A grey TIFF of SIZE without compression, as cameras and microscopes write it."""
    entries = [
        (256, 4, SIZE[0]),
        (257, 4, SIZE[1]),
        (258, 3, bits),
        (259, 3, 1),
        (262, 3, photometric),
        (273, 4, 8),
        (277, 3, 1),
        (278, 4, SIZE[1]),
        (279, 4, len(samples)),
        (339, 3, sample_format),
    ]
    directory = b"".join(struct.pack("<HHII", tag, kind, 1, value) for tag, kind, value in entries)
    return (
        struct.pack("<2sHI", b"II", 42, 8 + len(samples))
        + samples
        + struct.pack("<H", len(entries))
        + directory
        + bytes(4)
    )


def full_of(value: float, kind: str) -> bytes:
    return np.full(SIZE[0] * SIZE[1], value, kind).tobytes()


@pytest.mark.parametrize("value", [0, 200, 255, 257, 0x8080, 0xFFFF])
def test_a_16_bit_image_is_scaled_by_its_depth_and_never_by_its_content(value: int) -> None:
    data = encoded(Image.new("I;16", SIZE, value))
    assert load_photo(data, "deep.png").rgb[5, 5].tolist() == [round(value / 257)] * 3
    assert load_rgb(data, "deep.png", enough_px=8)[5, 5].tolist() == [round(value / 257)] * 3


@pytest.mark.parametrize(
    ("data", "level"),
    [
        (tiff(full_of(200, "<u2"), 16), 1),
        (tiff(full_of(0xFFFF, "<u2"), 16, photometric=0), 0),
        (tiff(full_of(16384, "<i2"), 16, sample_format=2), 128),
        (tiff(full_of(-5, "<i2"), 16, sample_format=2), 0),
        (tiff(b"\x80\x08\x00" * (SIZE[0] * SIZE[1] // 2), 12), 128),
        (tiff(full_of(0.5, "<f4"), 32, sample_format=3), 128),
        (tiff(full_of(1.0, "<f4"), 32, sample_format=3), 255),
    ],
    ids=["dark", "white is zero", "signed", "negative", "12 bits", "float", "white float"],
)
def test_the_white_of_a_tiff_is_that_of_its_sample_format(data: bytes, level: int) -> None:
    assert load_photo(data, "deep.tif").rgb[5, 4].tolist() == [level] * 3


@pytest.mark.parametrize(
    ("data", "reason"),
    [
        (
            tiff(full_of(70_000, "<u4"), 32),
            "it has 32-bit integers, which have no agreed white level; save it with 8 or 16 bits",
        ),
        (
            tiff(full_of(200, "<f4"), 32, sample_format=3),
            "its floating-point values reach from 200 to 200, not from 0 to 1; save it with 8 or 16 bits",
        ),
    ],
)
def test_a_depth_without_a_white_level_is_refused(data: bytes, reason: str) -> None:
    with pytest.raises(UnreadableImage) as refused:
        load_photo(data, "deep.tif")
    assert refused.value.reason == reason


@pytest.mark.parametrize("label", [1, 7, 255])
def test_the_labels_of_a_16_bit_mask_are_read_as_they_are(label: int) -> None:
    labels = np.zeros((40, 48), np.uint16)
    labels[10:20] = label
    rgb, alpha = load_labels(encoded(Image.fromarray(labels)), "mask.png")
    assert alpha is None
    assert rgb[..., 0].tolist() == labels.tolist()
    assert (
        load_labels(encoded(Image.fromarray(labels * 257)), "mask.png")[0][..., 0].tolist() == labels.tolist()
    )


def gamma_profile(gamma: float, *, swapped: bool = False) -> bytes:
    """A matrix profile with the primaries of Display P3, or with red and blue swapped, and a gamma curve."""

    def fixed(*values: float) -> bytes:
        return b"".join(struct.pack(">i", round(value * 65536)) for value in values)

    red, green, blue = (0.51512, 0.24120, -0.00105), (0.29198, 0.69225, 0.04189), (0.15710, 0.06657, 0.78407)
    primaries = (blue, green, red) if swapped else (red, green, blue)
    curve = b"curv" + bytes(4) + struct.pack(">IH", 1, round(gamma * 256)) + bytes(2)
    name = b"Wide\0"
    parts = {
        b"desc": b"desc" + bytes(4) + struct.pack(">I", len(name)) + name + bytes(79),
        b"wtpt": b"XYZ " + bytes(4) + fixed(0.9642, 1.0, 0.8249),
        **{
            tag: b"XYZ " + bytes(4) + fixed(*values)
            for tag, values in zip((b"rXYZ", b"gXYZ", b"bXYZ"), primaries, strict=True)
        },
        **dict.fromkeys((b"rTRC", b"gTRC", b"bTRC"), curve),
    }
    table, body, start = struct.pack(">I", len(parts)), b"", 132 + 12 * len(parts)
    for tag, data in parts.items():
        table += tag + struct.pack(">II", start + len(body), len(data))
        body += data
    head = struct.pack(">I4sI4s4s4s", start + len(body), b"none", 0x02100000, b"mntr", b"RGB ", b"XYZ ")
    head += struct.pack(">6H", 2024, 1, 1, 0, 0, 0) + b"acsp" + bytes(28) + fixed(0.9642, 1.0, 0.8249)
    return head.ljust(128, b"\0") + table + body


@pytest.mark.parametrize("mode", ["RGB", "RGBA", "P"])
def test_colours_are_brought_from_the_profile_of_the_file_to_srgb(mode: str) -> None:
    profile = gamma_profile(2.2)
    seen = Image.new("RGB", SIZE, (200, 40, 40))
    wide = ImageCms.profileToProfile(
        seen, ImageCms.createProfile("sRGB"), ImageCms.ImageCmsProfile(BytesIO(profile))
    )
    assert wide is not None
    data = encoded(wide.convert(mode, palette=Image.Palette.ADAPTIVE), icc_profile=profile)
    assert np.abs(load_photo(data, "p3.png").rgb[5, 5].astype(int) - [200, 40, 40]).max() <= 2
    assert np.abs(load_rgb(data, "p3.png", enough_px=8)[5, 5].astype(int) - [200, 40, 40]).max() <= 2
    swapped = encoded(
        Image.new("RGB", SIZE, (255, 0, 0)), "JPEG", icc_profile=gamma_profile(2.2, swapped=True)
    )
    assert load_photo(swapped, "swapped.jpg").rgb[5, 5].argmax() == 2


def test_a_profile_of_srgb_and_a_broken_one_leave_the_pixels_as_they_are() -> None:
    pixels = np.random.default_rng(0).integers(0, 256, (40, 48, 3), np.uint8)
    srgb = ImageCms.ImageCmsProfile(ImageCms.createProfile("sRGB")).tobytes()
    for profile in (srgb, b"no profile", srgb[:200]):
        data = encoded(Image.fromarray(pixels), icc_profile=profile)
        assert load_photo(data, "photo.png").rgb.tolist() == pixels.tolist()


def test_labels_are_no_light_and_keep_their_values_whatever_the_profile() -> None:
    data = encoded(Image.new("RGB", SIZE, (128, 0, 0)), icc_profile=gamma_profile(1.0))
    assert load_labels(data, "mask.png")[0][5, 5].tolist() == [128, 0, 0]


@pytest.mark.parametrize("name", ["photo.avif", "red.heic"])
def test_avif_and_heic_are_read(name: str) -> None:
    if name.endswith("avif"):
        data = encoded(Image.new("RGB", SIZE, (200, 40, 40)), "AVIF", quality=95)
    else:
        pytest.importorskip("pi_heif")
        data = (FIXTURES / name).read_bytes()  # pi-heif reads HEIC only
    photo = load_photo(data, name)
    assert photo.rgb.shape == (40, 48, 3)
    assert np.abs(photo.rgb[20, 20].astype(int) - [200, 40, 40]).max() < 12


def test_a_broken_heic_file_is_named_as_heic_whatever_its_ending() -> None:
    data = struct.pack(">I", 24) + b"ftypheic" + bytes(4) + b"mif1heic" + bytes(400)
    with pytest.raises(UnreadableImage, match=r"IMG_1\.jpg: it is a HEIC file that is broken"):
        load_photo(data, "IMG_1.jpg")


@pytest.mark.parametrize("orientation", range(1, 9))
def test_every_orientation_is_turned_as_pillow_turns_it(orientation: int) -> None:
    pixels = np.random.default_rng(0).integers(0, 256, (40, 48, 4), np.uint8)
    exif = Image.Exif()
    exif[0x0112] = orientation
    data = encoded(Image.fromarray(pixels), "PNG", exif=exif)
    with Image.open(BytesIO(data)) as image:
        expected = np.asarray(ImageOps.exif_transpose(image))
    photo = load_photo(data, "turned.png")
    assert photo.alpha is not None
    assert np.dstack([photo.rgb, photo.alpha]).tolist() == expected.tolist()


@pytest.mark.parametrize("kind", ["PNG", "JPEG", "WEBP"])
def test_a_very_large_image_is_reduced_before_it_is_converted(
    kind: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    y, x = np.mgrid[:400, :630]
    pixels = np.stack([x * 255 // 629, y * 255 // 399, (x + y) % 256], axis=2).astype(np.uint8)
    data = encoded(Image.fromarray(pixels), kind)
    whole = load_photo(data, "large", max_side_px=100).rgb.astype(int)
    monkeypatch.setattr(photo_decoding, "WHOLE_UP_TO_PX", 1000)
    monkeypatch.setattr(photo_decoding, "_STRIP_PX", 5000)
    reduced = load_photo(data, "large", max_side_px=100).rgb.astype(int)
    assert reduced.shape == (63, 100, 3)
    assert np.abs(reduced[..., :2] - whole[..., :2]).mean() < 1.5


def test_an_image_that_is_converted_in_strips_keeps_every_pixel(monkeypatch: pytest.MonkeyPatch) -> None:
    pixels = np.random.default_rng(0).integers(0, 256, (45, 48, 4), np.uint8)
    monkeypatch.setattr(photo_decoding, "_STRIP_PX", 48 * 7)
    photo = load_photo(encoded(Image.fromarray(pixels)), "strips.png")
    assert photo.alpha is not None
    assert np.dstack([photo.rgb, photo.alpha]).tolist() == pixels.tolist()


def test_the_pixels_in_memory_are_told_from_the_header(monkeypatch: pytest.MonkeyPatch) -> None:
    large = Image.new("RGB", (800, 600))
    assert decoded_pixels(encoded(large, "JPEG")) == 800 * 600
    monkeypatch.setattr(photo_decoding, "WHOLE_UP_TO_PX", 1000)
    assert decoded_pixels(encoded(large, "JPEG"), max_side_px=200) == 200 * 150  # decoded at a quarter
    assert decoded_pixels(encoded(large, "PNG"), max_side_px=200) == 800 * 600
    monkeypatch.setattr(photo_decoding, "MAX_PIXELS", 1000)
    assert decoded_pixels(encoded(large, "PNG")) == 0  # refused before it is decoded
    assert decoded_pixels(b"not an image at all") == 0


FUZZED = {
    "JPEG": Image.linear_gradient("L").convert("RGB").resize(SIZE),
    "PNG": Image.linear_gradient("L").resize(SIZE).convert("P"),
    "WEBP": Image.linear_gradient("L").convert("RGBA").resize(SIZE),
    "BMP": Image.new("RGB", SIZE, (9, 8, 7)),
    "TIFF": Image.new("I;16", SIZE, 300),
    "GIF": Image.new("P", SIZE, 3),
    "DDS": Image.new("RGBA", SIZE, (9, 8, 7, 6)),
    "TGA": Image.new("RGB", SIZE),
    "ICO": Image.new("RGB", SIZE),
    "JPEG2000": Image.new("RGB", SIZE),
    "PCX": Image.new("RGB", SIZE),
    "PPM": Image.new("RGB", SIZE),
}


@pytest.mark.filterwarnings(
    "ignore"
)  # Pillow's remarks on damaged files, and on sizes that we refuse ourselves
@pytest.mark.parametrize("kind", FUZZED)
def test_a_damaged_header_is_read_or_refused_and_never_anything_else(kind: str) -> None:
    rng = np.random.default_rng(list(FUZZED).index(kind))
    exif = {"exif": Image.Exif()} if kind in ("JPEG", "PNG", "WEBP") else {}
    for tags in exif.values():
        tags[0x0112] = 6
    whole = np.frombuffer(encoded(FUZZED[kind], kind, **exif), np.uint8)
    refused = 0
    for _ in range(150):
        damaged = whole.copy()
        at = rng.integers(0, min(len(whole), 200), rng.integers(1, 6))
        damaged[at] = rng.integers(0, 256, len(at))
        try:
            photo = load_photo(damaged.tobytes()[: rng.integers(len(whole) // 2, 2 * len(whole))], "a.jpg")
        except UnreadableImage:
            refused += 1
        else:
            assert photo.rgb.dtype == np.uint8
    assert refused > 0
