"""The review at scale: next and decide at a million samples, eight people at once, and the page itself.

`python -m benchmarks.review`: one JSON line per part, the limit beside each figure. `--only queue|team|browser` runs
one part; `--samples`, `--browser-samples` and `--seconds` make it smaller.
"""

from __future__ import annotations

import argparse
import hashlib
import json
import sqlite3
import statistics
import tempfile
import threading
import time
import uuid
from collections import Counter
from collections.abc import Callable, Iterable, Iterator
from contextlib import closing, contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING

import cv2
import numpy as np

from pipeline.domain.placement import Placement
from pipeline.domain.review import Decision, Verdict
from pipeline.domain.sample_facts import SampleFacts
from pipeline.domain.spec import Method, ObjectSpec, SampleSpec
from pipeline.settings import Settings
from pipeline.store import Library, NewPhoto, Rendered
from pipeline.studio import Studio

if TYPE_CHECKING:
    from playwright.sync_api import Page

PAGE = 12  # entries that the browser asks for at once
_LABELS = ("bolt", "nut", "gear", "spring")
_METHODS = (Method.INPAINT, Method.TEXT_TO_IMAGE)
_TIMED = 3_000  # decisions timed one by one
_MANY = 100_000  # decisions of one reviewer
_SIDE_PX = 512
_TEXTURES = 300
_PEOPLE = 8
_PACE_S = 0.2  # between two decisions of a person
_IDENTITY = ((1.0, 0.0, 0.0), (0.0, 1.0, 0.0), (0.0, 0.0, 1.0))
_PAUSE_MS = 150  # between two keys of an unhurried hand
_KEYS = 100
_FEWEST = 800  # samples that the page's part uses up


# --- libraries ----------------------------------------------------------------------------------------------


def texture(number: int) -> np.ndarray:
    """Draw soft noise, (512, 512, 3) uint8, about as hard to decode as a generated image."""
    rng = np.random.default_rng(number)
    coarse = rng.normal(128, 60, (_SIDE_PX // 8, _SIDE_PX // 8, 3)).astype(np.float32)
    return np.clip(cv2.resize(coarse, (_SIDE_PX, _SIDE_PX)), 0, 255).astype(np.uint8)


def grow(folder: Path, count: int, *, textures: int = 1) -> None:
    """Build a library of about `count` undecided samples: a few are stored as usual, the others copied."""
    with Library.open(folder, create=True) as library:
        images = [library.images.put(texture(number)) for number in range(textures)]
        specs = [_spec(library, label, method) for label in _LABELS for method in _METHODS]
        library.plans.add("benchmark", "", specs)
        for spec in specs:
            library.samples.record(_rendered(spec, images[0]))
    copies = count // len(specs) - 1
    with closing(sqlite3.connect(folder / "backlot.sqlite")) as database:
        database.execute("PRAGMA synchronous=OFF")
        for spec in specs:
            _copy(database, spec, copies, images)
        database.execute(
            "INSERT INTO sample_words SELECT 'surface', CASE seq % 3 WHEN 0 THEN 'snow' ELSE 'sand' END, seq "
            "FROM samples WHERE seq > ?",
            (len(specs),),
        )
        for name in ("seam", "halo"):
            database.execute(
                "INSERT INTO sample_scores SELECT ?, score, seq FROM samples WHERE seq > ?",
                (name, len(specs)),
            )
        database.execute("UPDATE counters SET value = (SELECT count(*) FROM samples) WHERE key = 'pending'")
        database.commit()
        database.execute("ANALYZE")
        database.commit()


def _copy(database: sqlite3.Connection, spec: SampleSpec, copies: int, images: list[str]) -> None:
    """Copy the row of a sample, each copy with its own seed, id, place in the queue and image."""
    own = {"seq", "id", "score", "image_id", "spec"}
    names = [row[1] for row in database.execute("PRAGMA table_info(samples)") if row[1] not in own]
    columns = ", ".join(names)
    database.execute("CREATE TEMP TABLE copies (n INTEGER PRIMARY KEY, id TEXT, spec TEXT, image_id TEXT)")
    database.executemany("INSERT INTO copies VALUES (?, ?, ?, ?)", _copies(spec.to_json(), copies, images))
    database.execute(
        f"INSERT INTO samples (id, spec, image_id, score, {columns}) "
        "SELECT copies.id, copies.spec, copies.image_id, ((n * 2654435761) % 1000003) / 1000003.0, "
        + ", ".join(f"original.{name}" for name in names)
        + " FROM copies, (SELECT * FROM samples WHERE id = ?) AS original",
        (spec.id,),
    )
    database.execute("DROP TABLE copies")


def _copies(text: str, copies: int, images: list[str]) -> Iterator[tuple[int, str, str, str]]:
    for number in range(1, copies + 1):
        spec = text.replace('"seed":0', f'"seed":{number}')
        yield number, hashlib.sha256(spec.encode()).hexdigest()[:20], spec, images[number % len(images)]


def _spec(library: Library, label: str, method: Method) -> SampleSpec:
    photo = texture(_LABELS.index(label) + 1000)
    image_id = library.images.put(photo)
    cutout_id = library.images.put(np.dstack([photo, np.full((_SIDE_PX, _SIDE_PX), 255, np.uint8)]))
    library.photos.add(
        NewPhoto(
            id=image_id, label=label, name=f"{label}.png", source="benchmark", split="train", image_id=image_id,
            height=_SIDE_PX, width=_SIDE_PX, cutout_id=cutout_id, box=(0, 0, 9, 9),
        )
    )  # fmt: skip
    return SampleSpec(
        label=label,
        objects=(ObjectSpec(photo_id=image_id, cutout_id=cutout_id, placement=Placement()),),
        prompt="a bench in the snow",
        negative_prompt=None,
        slots=(("surface", "snow"),),
        method=method,
        model="nano",
        revision="r1",
        size=(_SIDE_PX, _SIDE_PX),
        steps=8,
        guidance_scale=3.0,
        seed=0,
    )


def _rendered(spec: SampleSpec, image_id: str) -> Rendered:
    return Rendered(
        spec_id=spec.id,
        image_id=image_id,
        mask_id=None,
        facts=SampleFacts(
            boxes=((0, 0, 9, 9),),
            homographies=(_IDENTITY,),
            scores={"seam": 0.3, "halo": 0.1},
            descriptor=np.full(96, 0.1, np.float32),
        ),
    )


@contextmanager
def grown(count: int, *, textures: int = 1) -> Iterator[Path]:
    """Yield a folder with such a library, as `library`."""
    with tempfile.TemporaryDirectory() as folder:
        grow(Path(folder) / "library", count, textures=textures)
        yield Path(folder)


def studio_on(folder: Path) -> Studio:
    """Open a studio on that library."""
    return Studio(Settings(library=folder / "library", starter=False))


# --- the queue ----------------------------------------------------------------------------------------------


def queue(count: int) -> dict[str, object]:
    """Measure next and decide one by one, next again after many decisions, and counters against counting."""
    with grown(count) as folder, studio_on(folder) as studio:
        first = _median_ms(lambda: studio.review.queue.next("ann", limit=PAGE), 20)
        next_ms, decide_ms, both_ms = _session(studio, min(_TIMED, count // 2))
        many = min(_MANY, count // 2)
        _decide_many(studio, many - len(decide_ms))
        later = _median_ms(lambda: studio.review.queue.next("ann", limit=PAGE), 20)
        counts = studio.library.counts().samples
        with closing(sqlite3.connect(folder / "library" / "backlot.sqlite")) as database:
            grouped = "SELECT state, count(*) FROM samples GROUP BY state"
            counted = dict(database.execute(grouped).fetchall())
            counting_ms = _median_ms(lambda: database.execute(grouped).fetchall(), 5)
            counters = "SELECT scope, key, value FROM counters"
            counters_ms = _median_ms(lambda: database.execute(counters).fetchall(), 200)
        counts_ms = _median_ms(studio.library.counts, 200)
        equal = all(counts[state] == number for state, number in counted.items())
    return {
        "benchmark": "review queue",
        "samples": sum(counted.values()),
        "decide_ms_p50": _percentile(decide_ms, 50),
        "decide_ms_p99": _percentile(decide_ms, 99),
        "next_ms_p50": _percentile(next_ms, 50),
        "next_ms_p99": _percentile(next_ms, 99),
        "next_and_decide_ms_p50": _percentile(both_ms, 50),
        "next_and_decide_ms_p99": _percentile(both_ms, 99),
        "next_and_decide_ms_p99_limit": 10,
        "decisions_of_one_reviewer": many,
        "next_after_them_to_first": round(later / first, 2),
        "next_after_them_to_first_limit": 2,
        "counters_equal_group_by": equal,
        "group_by_to_library_counts": round(counting_ms / counts_ms),
        "group_by_to_library_counts_limit": 500,
        "group_by_to_plain_counters": round(counting_ms / counters_ms),
    }


def _session(studio: Studio, count: int) -> tuple[list[float], list[float], list[float]]:
    """Return the milliseconds of every next, every decide, and each decide with the next before it."""
    next_ms: list[float] = []
    decide_ms: list[float] = []
    both_ms: list[float] = []
    last = None
    while len(decide_ms) < count:
        started = time.perf_counter()
        rows = studio.review.queue.next("ann", after=last, limit=PAGE)
        waited = (time.perf_counter() - started) * 1000
        next_ms.append(waited)
        for row in rows:
            started = time.perf_counter()
            studio.review.decisions.decide(
                row.id, Verdict.ACCEPT, reviewer="ann", via="key", client_id=uuid.uuid4().hex
            )
            took = (time.perf_counter() - started) * 1000
            decide_ms.append(took)
            both_ms.append(took + waited)
            waited = 0.0
        last = rows[-1].id
    return next_ms, decide_ms, both_ms


def _decide_many(studio: Studio, count: int) -> None:
    """Record many decisions of one reviewer, in large transactions."""
    while count > 0:
        rows = studio.review.queue.next("ann", limit=min(500, count))
        at = datetime.now(UTC).isoformat()
        studio.library.review.record_all(
            [
                Decision(
                    sample_id=row.id, reviewer="ann", verdict=Verdict.ACCEPT, at=at, via="key",
                    client_id=uuid.uuid4().hex,
                )
                for row in rows
            ]
        )  # fmt: skip
        count -= len(rows)


def _median_ms(work: Callable[[], object], times: int) -> float:
    times_ms = []
    for _ in range(times):
        started = time.perf_counter()
        work()
        times_ms.append((time.perf_counter() - started) * 1000)
    return statistics.median(times_ms)


def _percentile(values: list[float], percent: float) -> float:
    return round(float(np.percentile(values, percent)), 2)


# --- eight people at once -----------------------------------------------------------------------------------


@dataclass(slots=True)
class TeamLog:
    """What the threads of several reviewers did."""

    handed: list[tuple[str, str]] = field(default_factory=list)  # (sample, reviewer) that the queue gave out
    sent: list[tuple[str, str]] = field(default_factory=list)  # decisions
    times_ms: list[float] = field(default_factory=list)  # of each decision
    guard: threading.Lock = field(default_factory=threading.Lock)


def team(seconds: float) -> dict[str, object]:
    """Run eight reviewers, five decisions per second each: nothing lost, doubled or leased twice."""
    log = TeamLog()
    with grown(int(_PEOPLE * seconds / _PACE_S * 1.5) + 800) as folder, studio_on(folder) as studio:
        until = time.monotonic() + seconds
        names = [f"person {number}" for number in range(_PEOPLE)]
        people = [threading.Thread(target=_decide_until, args=(studio, name, until, log)) for name in names]
        for person in people:
            person.start()
        for person in people:
            person.join()
        decisions = studio.library.review.decisions()
        stored = [(decision.sample_id, decision.reviewer) for decision in decisions]
        accepted = studio.library.counts().samples["accepted"]
        problems = studio.library.verify()
    return {
        "benchmark": "review team",
        "people": _PEOPLE,
        "seconds": seconds,
        "decisions": len(log.sent),
        "a_second_each": round(len(log.sent) / seconds / _PEOPLE, 2),
        "lost": len(set(log.sent) - set(stored)),
        "lost_limit": 0,
        "doubled": _repeats(sample for sample, _ in stored),
        "doubled_limit": 0,
        "leased_twice": _repeats(sample for sample, _ in set(log.handed)),
        "leased_twice_limit": 0,
        "counted_right": accepted == len(log.sent),
        "problems_of_library": len(problems),
        "problems_of_library_limit": 0,
        "decide_ms_p99": _percentile(log.times_ms, 99),
    }


def _decide_until(studio: Studio, name: str, until: float, log: TeamLog) -> None:
    """Accept samples as one reviewer at a steady pace until a time of the monotonic clock."""
    tick = time.monotonic()
    last = None
    while time.monotonic() < until:
        rows = studio.review.queue.next(name, after=last, limit=PAGE)
        with log.guard:
            log.handed.extend((row.id, name) for row in rows)
        for row in rows:
            tick += _PACE_S
            time.sleep(max(0.0, tick - time.monotonic()))
            if time.monotonic() >= until:
                break
            with log.guard:
                log.sent.append((row.id, name))  # before it is stored: a refusal counts as lost
            started = time.perf_counter()
            studio.review.decisions.decide(
                row.id, Verdict.ACCEPT, reviewer=name, via="key", client_id=uuid.uuid4().hex
            )
            with log.guard:
                log.times_ms.append((time.perf_counter() - started) * 1000)
        last = rows[-1].id if rows else None


def _repeats(samples: Iterable[str]) -> int:
    return sum(number - 1 for number in Counter(samples).values())


# --- the page -----------------------------------------------------------------------------------------------

# notes for every key how long it takes until another image, decoded, has been painted
_WATCH = """() => {
  window.noted = [];
  document.addEventListener('keydown', () => {
    const started = performance.now();
    const review = document.querySelector('.review'), before = review.dataset.sample;
    const look = () => {
      const image = review.querySelector('.review-frame img');
      const there = review.dataset.sample !== before && image && image.complete && image.naturalWidth;
      if (!there) return requestAnimationFrame(look);
      requestAnimationFrame(() => requestAnimationFrame(() => window.noted.push(performance.now() - started)));
    };
    look();
  }, true);
}"""
_SAVED = "!Object.keys(localStorage).some((key) => key.startsWith('backlot.decision'))"


def browser(count: int) -> dict[str, object]:
    """Measure key to painted image, a hundred keys in a row, and the grid's next page, in headless Chromium."""
    import pytest

    from tests.ui.browser import opened_page

    try:
        with opened_page() as page:
            return {"benchmark": "review page"} | _on_page(page, count)
    except pytest.skip.Exception as missing:
        return {"benchmark": "review page", "skipped": str(missing)}


def _on_page(page: Page, count: int) -> dict[str, object]:
    from tests.ui.browser import App

    with grown(count, textures=min(_TEXTURES, count)) as folder:
        app = App(folder)
        try:
            page.goto(f"{app.address}/review")
            page.wait_for_selector(".review[data-sample]")
            painted = _unhurried(page)
            shown = _hurried(page)
            pages = _grid_pages(page, app.address)
        finally:
            app.stop()
        with Library.open(folder / "library") as library:
            stored = [decision.sample_id for decision in library.review.decisions()]
    return {
        "samples": count,
        "key_to_painted_ms_p50": _percentile(painted, 50),
        "key_to_painted_ms_p95": _percentile(painted, 95),
        "key_to_painted_ms_p95_limit": 100,
        "keys_in_a_row": len(shown),
        "lost": len(set(shown) - set(stored)),
        "lost_limit": 0,
        "in_order": stored[-len(shown) :] == shown,
        "grid_page_ms": round(statistics.median(pages)),
        "grid_page_ms_limit": 300,
    }


def _unhurried(page: Page) -> list[float]:
    page.evaluate(_WATCH)
    for number in range(_KEYS):
        page.keyboard.press("a")
        page.wait_for_function(f"window.noted.length > {number}")
        page.wait_for_timeout(_PAUSE_MS)
    return list(page.evaluate("window.noted"))


def _hurried(page: Page) -> list[str]:
    """Press keys as fast as possible; return the samples shown, each of which must have one decision."""
    page.wait_for_function(_SAVED)
    shown = []
    for number in range(_KEYS):
        page.wait_for_selector(".review[data-sample]")
        shown.append(str(page.get_attribute(".review", "data-sample")))
        page.keyboard.press("x" if number % 3 else "a")
    page.wait_for_function(_SAVED)
    return shown


def _grid_pages(page: Page, address: str) -> list[float]:
    page.goto(f"{address}/review?view=grid")
    page.wait_for_selector(".grid-tile")
    return [
        float(
            page.evaluate(
                """() => new Promise((done) => {
                  const tiles = document.querySelector('.grid-tiles'), before = tiles.children.length;
                  const started = performance.now();
                  new MutationObserver((_, watcher) => {
                    if (tiles.children.length <= before) return;
                    watcher.disconnect();
                    requestAnimationFrame(() => requestAnimationFrame(() => done(performance.now() - started)));
                  }).observe(tiles, { childList: true });
                  document.querySelector('.grid-end').scrollIntoView();
                })"""
            )
        )
        for _ in range(5)
    ]


def main() -> None:
    """Print the results of the parts."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument(
        "--samples", type=int, default=1_000_000, help="in the library of the queue (default: %(default)s)"
    )
    parser.add_argument(
        "--browser-samples",
        type=int,
        default=10_000,
        help="in the library of the browser (default: %(default)s)",
    )
    parser.add_argument(
        "--seconds", type=float, default=60.0, help="that the team reviews (default: %(default)s)"
    )
    parser.add_argument("--only", choices=["queue", "team", "browser"], help="one part; default: all")
    asked = parser.parse_args()
    if asked.only in (None, "browser") and asked.browser_samples < _FEWEST:
        parser.error(
            f"--browser-samples is {asked.browser_samples}; at least {_FEWEST} are needed for all keys and pages"
        )
    parts: dict[str, Callable[[], dict[str, object]]] = {
        "queue": lambda: queue(asked.samples),
        "team": lambda: team(asked.seconds),
        "browser": lambda: browser(asked.browser_samples),
    }
    for name, part in parts.items():
        if asked.only in (None, name):
            print(json.dumps(part()), flush=True)


if __name__ == "__main__":
    main()
