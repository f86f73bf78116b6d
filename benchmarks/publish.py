"""Export of a release against the two ways that `datasets` offers, on the same pictures in the same run.

`python -m benchmarks.publish [PICTURES]`: pictures per second of our writer, of building the set through PIL and
`datasets`, and of `datasets`' own embedding of stored files; the peak memory of a long export against a short one; and
the share of the bytes that a release sends when it has grown by a hundredth.
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
from PIL import Image

from pipeline.domain.images import encode_webp
from pipeline.domain.release import Origin, ReleaseRow, ReviewFacts, Subset
from pipeline.publish import ReleaseOptions, write_release
from pipeline.store import Library, NewPhoto

_PICTURES = 3_000
_PIL_PICTURES = 100  # it is slow, and its speed does not depend on the number
_SIDE_PX = 512
_SMALL_PX = 128
_SHORT, _LONG = 1_000, 10_000
_TINY_PX = 24
_RELEASE, _GROWN = 100_000, 101_000  # rows
_SHARDS = 60  # about as many as 100,000 pictures of 300 kB fill


def texture(number: int, side_px: int) -> np.ndarray:
    """(side, side, 3) uint8: light, colour and grain, at 512 px as hard to pack as a photograph of a shop's shelf.

    `encode_webp` makes 296 kB of it, and 283 kB on average of pictures of ../shared/data/shelves enlarged to it; PIL
    takes 91 and 89 ms to decode one and pack it as PNG.
    """
    rng = np.random.default_rng(number)

    def field(cell_px: int, std: float, channels: int) -> np.ndarray:
        cells = max(1, side_px // cell_px)
        coarse = rng.normal(0, std, (cells, cells, channels)).astype(np.float32)
        fine = cv2.resize(coarse, (side_px, side_px), interpolation=cv2.INTER_CUBIC)
        return np.asarray(fine.reshape(side_px, side_px, channels))

    grain = rng.normal(0, 3, (side_px, side_px, 1))
    mixed = 128 + field(8, 40, 1) + field(64, 30, 3) + grain
    return np.asarray(np.clip(mixed, 0, 255), np.uint8)


def filled(folder: Path, count: int) -> Library:
    """A library of `count` photos."""
    library = Library.open(folder, create=True)
    for number in range(count):
        photo_id = library.images.put(texture(number, _SIDE_PX))
        library.photos.add(
            NewPhoto(
                id=photo_id,
                label=f"class {number % 5}",
                name=f"{number}.png",
                source="benchmark",
                split="train",
                photo_id=photo_id,
                height=_SIDE_PX,
                width=_SIDE_PX,
            )
        )
    return library


def through_pil(paths: list[Path], out: Path) -> None:
    """Decode every picture and let `datasets` encode it again: what most scripts do."""
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


def pictures_per_s(act: Callable[[], object], count: int) -> float:
    """Speed of one export."""
    started = time.perf_counter()
    act()
    return count / (time.perf_counter() - started)


def unchanged(library: Library, release: Path) -> bool:
    """Whether every stored file arrived byte for byte."""
    wanted = [
        hashlib.sha256(library.images.read_bytes(one.photo_id)).digest() for one in library.photos.list()
    ]
    paths = sorted((release / "data" / "real").glob("train-*.parquet"))
    images = (image for path in paths for image in pq.read_table(path)["image"].to_pylist())
    return [hashlib.sha256(image["bytes"]).digest() for image in images] == wanted


class Repeated:
    """A source of any number of rows over a few stored pictures, for measuring memory without a large library."""

    def __init__(self, count: int, side_px: int = _SMALL_PX) -> None:
        self._count = count
        self._stored = [encode_webp(texture(number, side_px)) for number in range(20)]
        self.releases = self.images = self.review = self.plans = self

    @property
    def data_bytes(self) -> int:
        """Of all pictures."""
        return self._count * sum(map(len, self._stored)) // len(self._stored)

    def rows(self, part: Subset, *, split: str | None = None) -> Iterator[ReleaseRow]:
        """`count` real rows in the train split."""
        if part is not Subset.REAL or split not in (None, "train"):
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

    def read_bytes(self, blob_id: str) -> bytes:
        """A fresh copy, as from a disk."""
        return bytes(bytearray(self._stored[int(blob_id) % len(self._stored)]))

    def facts(self) -> ReviewFacts:
        """Nothing was reviewed."""
        return ReviewFacts()

    def list(self) -> tuple[()]:
        """Nothing was planned."""
        return ()


class Distinct(Repeated):
    """The same, with other bytes in every row."""

    def read_bytes(self, blob_id: str) -> bytes:
        """As many bytes as a small picture has; the first ones, which the card shows, are pictures."""
        packed = super().read_bytes(blob_id)
        number = int(blob_id)
        return packed if number < len(self._stored) else np.random.default_rng(number).bytes(len(packed))


def shares_sent(folder: Path) -> tuple[float, float]:
    """What a release that has grown sends of all its bytes: as whole files (LFS), and in the Hub's chunks (Xet, with
    the real client and a store on this disk).
    """
    import hf_xet

    options = ReleaseOptions(shard_bytes=Distinct(_RELEASE, _TINY_PX).data_bytes // _SHARDS)
    shards: list[dict[str, Path]] = []
    stored: list[int] = []
    for count in (_RELEASE, _GROWN):
        write_release(Distinct(count, _TINY_PX), folder / str(count), name="growing", options=options)
        found = {path.name: path for path in sorted((folder / str(count) / "data").rglob("*.parquet"))}
        new = [str(path) for name, path in found.items() if name not in (shards[0] if shards else ())]
        hf_xet.upload_files(
            new,
            f"local://{folder / 'xet'}",
            ("nobody", 1 << 40),
            lambda: ("nobody", 1 << 40),
            None,
            "dataset",
            skip_sha256=True,
        )
        shards.append(found)
        stored.append(sum(path.stat().st_size for path in (folder / "xet").rglob("*") if path.is_file()))
    before, after = shards
    total = sum(path.stat().st_size for path in after.values())
    files = sum(path.stat().st_size for name, path in after.items() if name not in before)
    return files / total, (stored[1] - stored[0]) / total


def export_memory_mb(count: int) -> float:
    """Peak memory of a process of its own that exports `count` rows."""
    command = [sys.executable, "-m", "benchmarks.publish", "--memory", str(count)]
    done = subprocess.run(command, check=True, capture_output=True, text=True)
    return float(done.stdout)


def print_own_memory(count: int) -> None:
    """Export and tell the own peak in MB."""
    with tempfile.TemporaryDirectory() as scratch:
        write_release(Repeated(count), Path(scratch) / "release", name="memory")
    status = Path("/proc/self/status").read_text()  # getrusage would tell the parent's peak, too
    print(int(status.split("VmHWM:")[1].split()[0]) / 1024)


def main(count: int) -> None:
    """Print one JSON line."""
    import datasets

    datasets.disable_progress_bars()
    with tempfile.TemporaryDirectory() as name:
        scratch = Path(name)
        library = filled(scratch / "library", count)
        paths = [library.images.path(one.photo_id) for one in library.photos.list()]
        write_release(library, scratch / "warm", name="warm")
        ours = pictures_per_s(lambda: write_release(library, scratch / "ours", name="ours"), count)
        embedding = pictures_per_s(lambda: through_embedding(paths, scratch / "embedded.parquet"), count)
        few = paths[:_PIL_PICTURES]
        pil = pictures_per_s(lambda: through_pil(few, scratch / "pil.parquet"), len(few))
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
        main(int(sys.argv[1]) if sys.argv[1:] else _PICTURES)
