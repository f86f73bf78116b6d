"""`python -m benchmarks` runs every benchmark, one after the other; `python -m benchmarks.NAME` runs one."""

import subprocess
import sys
from pathlib import Path


def main() -> int:
    """Run each benchmark of this folder and return the number of those that failed."""
    names = sorted(path.stem for path in Path(__file__).parent.glob("[a-z]*.py"))
    return sum(
        subprocess.run([sys.executable, "-m", f"benchmarks.{name}"], check=False).returncode != 0
        for name in names
    )


if __name__ == "__main__":
    sys.exit(main())
