"""Writing a release compared with the two ways that `datasets` offers, on the same images in the same run.

`python -m benchmarks.publish [IMAGES]`: images per second of our writer, of building the dataset through PIL and
`datasets`, and of `datasets`' own embedding of stored files; the peak memory of a long release compared with a short
one; and the share of its bytes that a release sends when it has grown by one per cent.
"""

from __future__ import annotations

import hashlib
import json
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import cv2
import numpy as np
import pyarrow.parquet as pq
from numpy.typing import NDArray
from PIL import Image

from pipeline.domain.images import RGB, encode_webp
from pipeline.domain.release import Origin, ReleaseRow, ReviewFacts, Subset
from pipeline.publish import ReleaseOptions, write_release
from pipeline.store import Library, NewPhoto

_IMAGES = 3_000
_PIL_IMAGES = 100  # PIL is slow, and its speed does not depend on the number
_SIDE_PX = 512
_SMALL_PX = 128
_SHORT, _LONG = 1_000, 10_000
_TINY_PX = 24
_RELEASE, _GROWN = 100_000, 101_000  # rows
_SHARDS = 60  # about as many as 100,000 images of 300 kB fill


def texture(number: int, side_px: int) -> RGB:
    """Draw light, colour and grain, (side, side, 3) uint8; at 512 px as hard to compress as a photo of a shop's shelf.

    `encode_webp` needs 296 kB for it, and 283 kB on average for photos of shelves enlarged to this size; PIL takes 91
    and 89 ms to decode one and to encode it as PNG.
    """
    rng = np.random.default_rng(number)

    def field(cell_px: int, std: float, channels: int) -> NDArray[np.float32]:
        cells = max(1, side_px // cell_px)
        coarse = rng.normal(0, std, (cells, cells, channels)).astype(np.float32)
        fine = cv2.resize(coarse, (side_px, side_px), interpolation=cv2.INTER_CUBIC)
        return np.asarray(fine.reshape(side_px, side_px, channels))

    grain = rng.normal(0, 3, (side_px, side_px, 1))
    mixed = 128 + field(8, 40, 1) + field(64, 30, 3) + grain
    return np.asarray(np.clip(mixed, 0, 255), np.uint8)


def filled_library(folder: Path, count: int) -> Library:
    """Create a library of `count` photos."""
    library = Library.open(folder, create=True)
    for number in range(count):
        image_id = library.images.put(texture(number, _SIDE_PX))
        library.photos.add(
            NewPhoto(
                id=image_id,
                label=f"class {number % 5}",
                name=f"{number}.png",
                source="benchmark",
                split="train",
                image_id=image_id,
                height=_SIDE_PX,
                width=_SIDE_PX,
            )
        )
    return library


def through_pil(paths: list[Path], out: Path) -> None:
    """Decode every image and let `datasets` encode it again, as most scripts do."""
    from datasets import Dataset, Features, Value
    from datasets import Image as ImageFeature

    def rows() -> Iterator[dict[str, object]]:
        for number, path in enumerate(paths):
            decoded = Image.open(path).convert("RGB")  # an unread file would be stored as its path alone
            yield {"image": decoded, "label": number % 5}

    features = Features({"image": ImageFeature(), "label": Value("int64")})
    cache = str(out.parent / "pil_cache")
    Dataset.from_generator(rows, features=features, cache_dir=cache).to_parquet(str(out))


def through_embedding(paths: list[Path], out: Path) -> None:
    """Let `datasets` embed the stored files."""
    from datasets import Dataset, Features, Value
    from datasets import Image as ImageFeature
    from datasets.table import embed_table_storage

    features = Features({"image": ImageFeature(), "label": Value("int64")})
    data = {"image": [str(path) for path in paths], "label": [number % 5 for number in range(len(paths))]}
    rows = Dataset.from_dict(data, features=features).with_format("arrow")
    embedded = rows.map(embed_table_storage, batched=True, batch_size=100, keep_in_memory=True)
    embedded.with_format(None).to_parquet(str(out))


def images_per_s(act: Callable[[], object], count: int) -> float:
    """Measure the speed of one export."""
    started = time.perf_counter()
    act()
    return count / (time.perf_counter() - started)


def unchanged(library: Library, release: Path) -> bool:
    """Whether the release holds every stored file byte for byte."""
    wanted = [
        hashlib.sha256(library.images.read_bytes(photo.image_id)).digest() for photo in library.photos.list()
    ]
    paths = sorted((release / "data" / "real").glob("train-*.parquet"))
    images = (image for path in paths for image in pq.read_table(path)["image"].to_pylist())
    return [hashlib.sha256(image["bytes"]).digest() for image in images] == wanted


class Repeated:
    """A source of any number of rows over a few stored images, to measure memory without a large library."""

    def __init__(self, count: int, side_px: int = _SMALL_PX) -> None:
        self._count = count
        self._stored = [encode_webp(texture(number, side_px)) for number in range(20)]
        self.releases = self.images = self.review = self.plans = self

    @property
    def data_bytes(self) -> int:
        """The size of all images."""
        return self._count * sum(map(len, self._stored)) // len(self._stored)

    def rows(self, subset: Subset, /, *, split: str | None = None) -> Iterator[ReleaseRow]:
        """Yield `count` real rows in the train split."""
        if subset is not Subset.REAL or split not in (None, "train"):
            return
        for number in range(self._count):
            yield ReleaseRow(
                image_id=str(number),
                mask_id=None,
                label="one",
                split="train",
                origin=Origin.REAL,
                method="photo",
                sample_id=f"{number:020d}",
                source_ids=(f"{number:020d}",),
                place=number + 1,
            )

    def read_bytes(self, image_id: str, /) -> bytes:
        """Return a fresh copy, as read from a disk."""
        return bytes(bytearray(self._stored[int(image_id) % len(self._stored)]))

    def facts(self) -> ReviewFacts:
        """Return that nothing was reviewed."""
        return ReviewFacts()

    def list(self) -> tuple[()]:
        """Return that nothing was planned."""
        return ()

    def yields(self) -> tuple[()]:
        """Return that no samples were rendered."""
        return ()


class Distinct(Repeated):
    """The same with different bytes in every row."""

    def read_bytes(self, image_id: str, /) -> bytes:
        """Return as many bytes as a small image has; the first rows, which the card shows, are real images."""
        packed = super().read_bytes(image_id)
        number = int(image_id)
        return packed if number < len(self._stored) else np.random.default_rng(number).bytes(len(packed))


def shares_sent(folder: Path) -> tuple[float, float]:
    """Measure the share of its bytes that a grown release sends.

    Returns:
        As whole files (LFS), and in the Hub's chunks (Xet, with the real client and a store on this disk).
    """
    import hf_xet

    options = ReleaseOptions(shard_bytes=Distinct(_RELEASE, _TINY_PX).data_bytes // _SHARDS)
    shards: list[dict[str, Path]] = []
    stored: list[int] = []
    for count in (_RELEASE, _GROWN):
        write_release(Distinct(count, _TINY_PX), folder / str(count), name="growing", options=options)
        written = {path.name: path for path in sorted((folder / str(count) / "data").rglob("*.parquet"))}
        new = [str(path) for name, path in written.items() if name not in (shards[0] if shards else ())]
        hf_xet.upload_files(
            new,
            f"local://{folder / 'xet'}",
            ("nobody", 1 << 40),
            lambda: ("nobody", 1 << 40),
            None,
            "dataset",
            skip_sha256=True,
        )
        shards.append(written)
        stored.append(sum(path.stat().st_size for path in (folder / "xet").rglob("*") if path.is_file()))
    before, after = shards
    total = sum(path.stat().st_size for path in after.values())
    files = sum(path.stat().st_size for name, path in after.items() if name not in before)
    return files / total, (stored[1] - stored[0]) / total


def export_memory_mb(count: int) -> float:
    """Measure the peak memory of a separate process that releases `count` rows."""
    command = [sys.executable, "-m", "benchmarks.publish", "--memory", str(count)]
    done = subprocess.run(command, check=True, capture_output=True, text=True)
    return float(done.stdout)


def print_own_memory(count: int) -> None:
    """Write a release and print the peak memory of this process in MB."""
    with tempfile.TemporaryDirectory() as scratch:
        write_release(Repeated(count), Path(scratch) / "release", name="memory")
    status = Path("/proc/self/status").read_text()  # getrusage would include the parent's peak
    print(int(status.split("VmHWM:")[1].split()[0]) / 1024)


def main(count: int) -> None:
    """Print the figures as one JSON line."""
    import datasets

    datasets.disable_progress_bars()
    with tempfile.TemporaryDirectory() as name:
        scratch = Path(name)
        library = filled_library(scratch / "library", count)
        paths = [library.images.path(photo.image_id) for photo in library.photos.list()]
        write_release(library, scratch / "warm", name="warm")
        ours = images_per_s(lambda: write_release(library, scratch / "ours", name="ours"), count)
        embedding = images_per_s(lambda: through_embedding(paths, scratch / "embedded.parquet"), count)
        few = paths[:_PIL_IMAGES]
        pil = images_per_s(lambda: through_pil(few, scratch / "pil.parquet"), len(few))
        kilobytes = sum(path.stat().st_size for path in paths) / count / 1000
        same = unchanged(library, scratch / "ours")
        library.close()
    short, long = export_memory_mb(_SHORT), export_memory_mb(_LONG)
    with tempfile.TemporaryDirectory() as name:
        files, chunks = shares_sent(Path(name))
    figures = {
        "benchmark": "publish",
        "pictures": count,
        "side_px": _SIDE_PX,
        "kb_a_picture": round(kilobytes),
        "ours_per_s": round(ours),
        "embedding_per_s": round(embedding),
        "pil_per_s": round(pil, 1),
        "times_pil": round(ours / pil, 1),
        "times_embedding": round(ours / embedding, 2),
        "bytes_unchanged": same,
        f"memory_mb_{_SHORT}": round(short),
        f"memory_mb_{_LONG}": round(long),
        "memory_ratio": round(long / short, 2),
        "grown_by": round(_GROWN / _RELEASE - 1, 3),
        "share_sent_as_files": round(files, 4),
        "share_sent_in_chunks": round(chunks, 4),
    }
    print(json.dumps(figures))


if __name__ == "__main__":
    if sys.argv[1:2] == ["--memory"]:
        print_own_memory(int(sys.argv[2]))
    else:
        main(int(sys.argv[1]) if sys.argv[1:] else _IMAGES)
