import subprocess
import sys

import numpy as np
import pytest

from pipeline.cutout.birefnet import cut_out_with_birefnet
from pipeline.errors import ModelUnavailable


def test_without_the_weights_the_network_says_how_to_have_them(tmp_path: object) -> None:
    with pytest.raises(ModelUnavailable, match=r"not on this machine .*download it once"):
        cut_out_with_birefnet(np.zeros((8, 8, 3), np.uint8), model=str(tmp_path))


def test_importing_the_cutout_loads_neither_torch_nor_numba() -> None:
    code = (
        "import sys, pipeline.cutout; print([m for m in ('torch', 'numba', 'pymatting') if m in sys.modules])"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"
