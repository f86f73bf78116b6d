from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path

from training.nano.config import full
from training.nano.evaluate.card import card, steps_done
from training.nano.networks.export import vocabulary


def test_the_card_tells_the_figures_the_size_and_the_steps(tmp_path: Path) -> None:
    (tmp_path / "weights").write_bytes(b"0" * 3_000_000)
    figures = {
        "steps": 12,
        "guidance_scale": 2.5,
        "guidance_rescale": 0.5,
        "edge_f_scale_1": 0.4,
        "obedience_by_word": {"grass": 0.75},
    }
    text = card(figures, replace(full(), out=tmp_path), steps_done={"vae": 7, "unet": 8, "control": 9})
    assert "| edge_f_scale_1 | 0.4 |" in text
    assert "grass 0.75" in text
    assert "3 MB in all" in text
    assert "VAE 7 steps" in text


def test_a_work_folder_without_checkpoints_has_seen_no_steps(tmp_path: Path) -> None:
    assert steps_done(tmp_path) == {"vae": 0, "decoder": 0, "unet": 0, "control": 0}


def test_the_vocabulary_is_plain_json_with_defaults_and_all_slots() -> None:
    written = json.loads(json.dumps(vocabulary(128)))
    assert written["defaults"]["size"] == 128
    assert {
        "surface",
        "place",
        "sky",
        "colour",
        "light",
        "camera",
        "condition",
        "synonyms",
        "words",
        "examples",
    } <= set(written)
    assert set(" ".join(written["surface"]).split()) <= set(written["words"])
