"""What every test shares: no network, few threads, nothing of the person's own settings."""

from __future__ import annotations

import os

os.environ["HF_HUB_OFFLINE"] = "1"
os.environ["HF_DATASETS_OFFLINE"] = "1"
os.environ["GRADIO_ANALYTICS_ENABLED"] = "False"
os.environ.setdefault("OMP_NUM_THREADS", "2")
for name in [name for name in os.environ if name.startswith("BACKLOT_")]:
    del os.environ[name]
