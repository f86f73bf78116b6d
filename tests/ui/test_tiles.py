from __future__ import annotations

from ui.components.tiles import Tile, tiles_html


def test_a_tile_carries_its_id_and_says_why_it_wants_a_look() -> None:
    shown = tiles_html([Tile(id="ab12", address="./a.webp", caption="bolt", flag="touches the border")])
    assert 'data-pick="ab12"' in shown
    assert 'title="touches the border"' in shown
    assert 'alt="bolt"' in shown


def test_wild_captions_are_escaped() -> None:
    shown = tiles_html([Tile(id="a", address='"><img>', caption='"><b>', flag='"><i>')])
    assert "<img>" not in shown
    assert "<b>" not in shown
    assert "<i>" not in shown
