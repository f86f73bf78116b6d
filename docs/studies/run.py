"""Run one of the studies from photographs to reports; every step is a command that is printed before it runs.

    python docs/studies/run.py fruits --data ../shared/data --out runs/studies

fruits: 20 lab photos of each of ten kinds, tested on 499 photos of the same kinds in shops.
starter: the rendered machine parts on one bench, tested on their field set.
default: the photos of fruits and the default recipe as it is shipped, and with options added to it.
photographed: what starter trains on, tested on parts rendered on photos of surfaces that nano was not trained on.
trash: 40 photos of each of four materials on a white board, tested on other objects pasted onto photos of shelves.

Needs a folder like ../shared/data for all but starter. A stopped run resumes with the same command.
"""

from __future__ import annotations

import argparse
import shlex
import shutil
import subprocess
import sys
from pathlib import Path

_ROOT = Path(__file__).parents[2]
_RECIPES = Path(__file__).parent / "recipes"
_BACKGROUNDS = "BACKGROUNDS"  # in a recipe, stands for the folder of backgrounds of method `paste`
_MANY_SHAPES = ("single", "few", "many", "mix")
_START = "start"  # the arrangements of mix, begun from background pictures
_ABLATION = ("background", "position", "scale")
_USES = ("real", "real_augmented", "inpaint", "paste", "text_to_image", "mixed", "real_paste")
_LAB_PHOTOS = 20  # of each kind
_TRASH = ("glass", "metal", "paper", "plastic")
_TRASH_PHOTOS = 40
_TEST_IMAGES = 200
_AGAINST_PASTE = ("real", "inpaint", "paste", "mixed", "real_paste")
_HELD_OUT_SHARE = 0.08  # of the photos of surfaces: what training.nano holds out by default
_DEFAULT_TIMES = 4  # as many images of the default recipe as of another one: it mixes three arrangements
_DEFAULT_RECIPE = _ROOT / "recipes" / "surfaces.yaml"
_OPTIONS = {  # added to the default recipe
    "with another seed": "",
    "with novelty": "novelty: true",
    "with distractors": "distractors: true",
    "with a camera": "camera: {blur: [0.2, 0.8], noise: [1, 4], jpeg: [60, 92]}",
}
_SHELVES = 200
_SURFACES = 300


class Runner:
    """Runs commands of Backlot in a folder of their own.

    Args:
        out: the folder.
        images: of each recipe and method.
        seeds: of each study.
        only: probe or small for one network, all for both.
    """

    def __init__(self, out: Path, images: int, seeds: int, only: str) -> None:
        self.out, self.images, self.seeds, self.only = out, images, seeds, only
        self.library, self.release, self.ablation = out / "library", out / "release", out / "release-ablation"
        self.options = out / "release-options"

    def run(self, module: str, *arguments: object) -> None:
        """Print a command and run it; stop where it fails."""
        command = [sys.executable, "-m", module, *map(str, arguments)]
        print("$", shlex.join(["python", *command[1:]]), flush=True)
        code = subprocess.run(command).returncode
        if code:
            raise SystemExit(code)

    def pipeline(self, command: str, *arguments: object) -> None:
        """Run a command on the library."""
        self.run("pipeline", command, *arguments, "--library", self.library)

    def generate(self, name: str, method: str, count: int, backgrounds: str) -> None:
        """Generate images of a recipe with a method."""
        recipe = self.out / f"{name}.yaml"
        text = (_RECIPES / f"{name}.yaml").read_text(encoding="utf-8")
        recipe.write_text(text.replace(_BACKGROUNDS, backgrounds), encoding="utf-8")
        self.pipeline("generate", "--recipe", recipe, "--method", method, "--count", count)

    def generate_default(self, name: str, option: str, seed: int) -> None:
        """Generate images of the default recipe with an option added, under a name and with a seed of its own."""
        lines = _DEFAULT_RECIPE.read_text(encoding="utf-8").splitlines()
        kept = [line for line in lines if not line.startswith(("name:", "seed:"))]
        recipe = self.out / f"{name}.yaml"
        text = "\n".join([f"name: {name}", f"seed: {seed}", *kept, option, ""])
        recipe.write_text(text, encoding="utf-8")
        self.pipeline("generate", "--recipe", recipe, "--count", _DEFAULT_TIMES * self.images)

    def generate_all(self, backgrounds: str) -> None:
        """Generate what the studies train on, and publish it without and with the images of ablation and starts."""
        for name in _MANY_SHAPES:
            for method in ("inpaint", "paste"):
                self.generate(name, method, self.images, backgrounds)
        self.generate("few", "controlnet", self.images, backgrounds)
        self.generate("few", "text_to_image", 3 * self.images, backgrounds)
        self.publish(self.release)
        for name in (*_ABLATION, _START):
            self.generate(name, "inpaint", self.images, backgrounds)
        self.publish(self.ablation)

    def publish(self, release: Path) -> None:
        """Accept what the gates let through and write a release."""
        self.pipeline("gate")
        self.pipeline("publish", "--to", release)

    def studies(self, *test: object) -> None:
        """Train with the probe, and with a small network from nothing."""
        if self.only != "small":
            self.probe_studies(*test)
        if self.only != "probe":
            self.study("uses-small", _USES, *test, "--network", "small")

    def probe_studies(self, *test: object) -> None:
        """Train linear probes: uses of the data, shapes of images, mixing ratios, the ablation, shares of photos."""
        shapes = [f"{method}@{name}" for name in _MANY_SHAPES for method in ("inpaint", "paste")]
        ratios = [f"mixed:{ratio}" for ratio in ("0.25", "0.5", "1", "2", "4")]
        shares = [f"{use}%{share}" for use in ("real", "mixed") for share in ("25", "50")]
        self.study("uses", (), *test, "--learning-curve", "--tuning", "8")
        self.study("shapes", ("real", *shapes), *test, "--no-similarity")
        self.study("ratios", ("real", *ratios), *test, "--no-similarity")
        ablation = [f"inpaint@{name}" for name in (*_ABLATION, "single")]
        self.study("ablation", ("real", *ablation), *test, "--no-similarity", release=self.ablation)
        starts = ("real", f"inpaint@{_START}", "inpaint@mix", "paste@mix")
        self.study("starts", starts, *test, "--no-similarity", release=self.ablation)
        # most images of this release show one object, and so belong to a share of the photos
        self.study("shares", ("real", "mixed", *shares), *test, "--no-similarity", release=self.ablation)

    def study(self, name: str, arms: tuple[str, ...], *options: object, release: Path | None = None) -> None:
        """Train one study into a folder of its own."""
        chosen = ("--arms", *arms) if arms else ()
        out = self.out / name
        shared = ("--seeds", self.seeds, "--features", self.out / "features")
        if "--network" not in options:
            options = (*options, "--network", "probe")
        self.run(
            "training",
            "study",
            "--dataset",
            release or self.release,
            "--out",
            out,
            *shared,
            *chosen,
            *options,
        )


def main() -> None:
    """Run the study that the command line names."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    studies = {
        "fruits": fruits,
        "default": default,
        "starter": starter,
        "photographed": photographed,
        "trash": trash,
    }
    parser.add_argument("name", choices=list(studies), help="see above")
    parser.add_argument(
        "--data",
        type=Path,
        default=Path("../shared/data"),
        help="folder of the photos (default: %(default)s)",
    )
    parser.add_argument(
        "--out",
        type=Path,
        default=Path("runs/studies"),
        help="where libraries, releases and reports go (default: %(default)s)",
    )
    parser.add_argument(
        "--until",
        choices=["release", "studies"],
        default="studies",
        help="what to stop after (default: %(default)s)",
    )
    parser.add_argument(
        "--images",
        type=int,
        default=100,
        help="of each recipe and method, fewer for a trial (default: %(default)s)",
    )
    parser.add_argument("--seeds", type=int, default=10, help="of each study (default: %(default)s)")
    parser.add_argument(
        "--only",
        choices=["all", "probe", "small"],
        default="all",
        help="which networks; of 'default' the probe alone (default: %(default)s)",
    )
    given = parser.parse_args()
    if given.name == "default" and given.only == "small":
        parser.error("the study 'default' trains the probe alone; leave out --only, or choose another study")
    runner = Runner(given.out / given.name, given.images, given.seeds, given.only)
    runner.out.mkdir(parents=True, exist_ok=True)
    studies[given.name](runner, given.data, given.until == "studies")


def fruits(runner: Runner, data: Path, train: bool) -> None:
    """Lab photos, tested in shops."""
    photos = _selected(data / "fruits" / "lab", runner.out / "photos", _LAB_PHOTOS)
    if not runner.ablation.is_dir():
        runner.pipeline("import", photos, "--split", "train")
        surfaces = _spaced(sorted((data / "surfaces").rglob("*.jpg")), _SURFACES)
        runner.generate_all(str(_copied(surfaces, runner.out / "surfaces").resolve()))
    if train:
        runner.studies("--test", data / "fruits" / "shop")


def default(runner: Runner, data: Path, train: bool) -> None:
    """Lab photos and the default recipe, tested in shops."""
    if not runner.release.is_dir():
        photos = _selected(data / "fruits" / "lab", runner.out / "photos", _LAB_PHOTOS)
        runner.pipeline("import", photos, "--split", "train")
        runner.pipeline("generate", "--count", _DEFAULT_TIMES * runner.images)
        runner.publish(runner.release)
    if not runner.options.is_dir():
        for seed, (name, option) in enumerate(_OPTIONS.items(), start=1):
            runner.generate_default(name, option, seed)
        runner.publish(runner.options)
    if train:
        test = ("--test", data / "fruits" / "shop")
        runner.study("uses", ("real", "real_augmented", "inpaint", "mixed", "fine_tuned"), *test)
        arms = [f"{use}@{name}" for name in ("surfaces", *_OPTIONS) for use in ("inpaint", "mixed")]
        runner.study("options", ("real", *arms), *test, "--no-similarity", release=runner.options)


def starter(runner: Runner, _data: Path, train: bool) -> None:
    """The starter set, tested on its field set, which the release holds as its test split."""
    if not runner.ablation.is_dir():
        runner.pipeline("import", "starter", "--split", "train")
        runner.pipeline("import", "starter:field", "--split", "test")
        runner.generate_all("starter")
    if train:
        runner.studies()


def photographed(runner: Runner, data: Path, train: bool) -> None:
    """The images of starter, tested where no background of a training image comes from."""
    trained_on = Runner(runner.out.parent / "starter", runner.images, runner.seeds, runner.only)
    trained_on.out.mkdir(parents=True, exist_ok=True)
    starter(trained_on, data, train=False)
    rendered = runner.out / "rendered"
    if not rendered.is_dir():
        surfaces = _unseen_surfaces(data / "surfaces", runner.out / "surfaces")
        runner.run(
            "pipeline.starter", rendered, "--per-kind", 1, "--field", _TEST_IMAGES, "--surfaces", surfaces
        )
    if train:
        networks = ("probe", "small") if runner.only == "all" else (runner.only,)
        for network in networks:
            options = ("--test", rendered / "field", "--no-similarity", "--network", network)
            runner.study(f"uses-{network}", _AGAINST_PASTE, *options, release=trained_on.release)


def _unseen_surfaces(source: Path, target: Path) -> Path:
    """Copy the photos of surfaces that nano was not trained on into a folder for each word."""
    sys.path.insert(0, str(_ROOT))
    from training.nano.data.surfaces import surface_files  # the rule by which its training left them out

    for word, files in surface_files(source, held_out=True, held_out_share=_HELD_OUT_SHARE).items():
        if files:
            _copied(files, target / word)
    return target


def trash(runner: Runner, data: Path, train: bool) -> None:
    """Objects on a board; tested on other objects pasted onto shelves that no training image shows."""
    shelves = _spaced(sorted((data / "shelves").rglob("*.jpg")), _SHELVES)
    backgrounds = {
        name: _copied(shelves[start::2], runner.out / f"shelves-{name}")
        for start, name in enumerate(("train", "test"))
    }
    photos = _selected(data / "trash", runner.out / "photos", _TRASH_PHOTOS, _TRASH)
    test = Runner(runner.out / "test", _TEST_IMAGES, runner.seeds, runner.only)
    if not runner.ablation.is_dir():
        runner.pipeline("import", photos)
        runner.generate_all(str(backgrounds["train"].resolve()))
    if not (test.out / "images").is_dir():
        _test_objects(runner, test, str(backgrounds["test"].resolve()))
    if train:
        runner.studies("--test", test.out / "images" / "train")
        if runner.only != "small":
            runner.study("uses-board", (), "--no-similarity")


def _test_objects(runner: Runner, test: Runner, backgrounds: str) -> None:
    """Paste the objects of the test photos onto shelves, and write the images by class."""
    held_out = runner.out / "objects"
    runner.pipeline("export", "--format", "folders", "--origin", "real", "--to", held_out)
    test.out.mkdir(parents=True, exist_ok=True)
    test.pipeline("import", held_out / "test", "--split", "train")
    test.generate("single", "paste", test.images, backgrounds)
    test.pipeline("gate")
    test.pipeline("export", "--format", "folders", "--origin", "synthetic", "--to", test.out / "images")


def _selected(source: Path, target: Path, count: int, classes: tuple[str, ...] = ()) -> Path:
    """Copy evenly spaced photos of each class into a folder."""
    for folder in sorted(
        path for path in source.iterdir() if path.is_dir() and path.name in (classes or [path.name])
    ):
        _copied(_spaced(sorted(folder.iterdir()), count), target / folder.name)
    return target


def _spaced(files: list[Path], count: int) -> list[Path]:
    """Choose so many files at even distances."""
    return files[:: max(1, len(files) // count)][:count]


def _copied(files: list[Path], target: Path) -> Path:
    target.mkdir(parents=True, exist_ok=True)
    for file in files:
        if not (target / file.name).exists():
            shutil.copyfile(file, target / file.name)
    return target


if __name__ == "__main__":
    main()
