"""The theme: one accent colour, system fonts (nothing is fetched), light and dark."""

from __future__ import annotations

from pathlib import Path

import gradio as gr

STATIC = Path(__file__).resolve().parent / "static"
STYLESHEETS = [STATIC / "studio.css", STATIC / "review.css", STATIC / "photos" / "photos.css"]
SCRIPTS = (
    f"<script>{(STATIC / 'page_token.js').read_text(encoding='utf-8')}</script>"  # in the head of every page
)
_PETROL = gr.themes.Color(
    name="petrol",
    c50="#eef8f9", c100="#d5edf0", c200="#aedbe1", c300="#7ac1cb", c400="#449fad", c500="#268392",
    c600="#136c7a", c700="#125865", c800="#144853", c900="#143c46", c950="#07272f",
)  # fmt: skip
_SANS = ["system-ui", "-apple-system", "Segoe UI", "Roboto", "Helvetica Neue", "sans-serif"]
_MONO = ["ui-monospace", "SFMono-Regular", "Menlo", "Consolas", "monospace"]

_VARIABLES = {  # variables of the theme; `*name` refers to another
    "body_background_fill": "#fbfbfa",
    "body_background_fill_dark": "#131416",
    "block_border_width": "0px",
    "block_background_fill": "transparent",
    "block_background_fill_dark": "transparent",
    "block_padding": "0px",
    "block_label_background_fill": "transparent",
    "block_label_background_fill_dark": "transparent",
    "block_label_border_width": "0px",
    "block_title_text_weight": "500",
    "block_title_text_size": "*text_sm",
    "block_shadow": "none",
    "body_text_color_subdued": "#67676c",
    "body_text_color_subdued_dark": "#a2a5ab",
    "block_info_text_color": "#67676c",
    "block_info_text_color_dark": "#a2a5ab",
    "background_fill_primary_dark": "#1b1d20",
    "background_fill_secondary_dark": "#17181b",
    "border_color_primary": "#e4e4e1",
    "border_color_primary_dark": "#2d3034",
    "input_background_fill": "#ffffff",
    "input_background_fill_dark": "#1b1d20",
    "input_border_width": "1px",
    "input_border_color": "#dcdcd8",
    "input_border_color_dark": "#34373c",
    "input_shadow": "none",
    "input_shadow_focus": "0 0 0 3px *primary_100",
    "input_shadow_focus_dark": "0 0 0 3px *primary_900",
    "button_primary_background_fill": "*primary_600",
    "button_primary_background_fill_hover": "*primary_700",
    "button_primary_background_fill_dark": "*primary_500",
    "button_primary_background_fill_hover_dark": "*primary_400",
    "button_primary_text_color": "#ffffff",
    "button_secondary_background_fill": "#ffffff",
    "button_secondary_background_fill_hover": "#f1f1ee",
    "button_secondary_background_fill_dark": "#222428",
    "button_secondary_background_fill_hover_dark": "#2c2f34",
    "button_secondary_border_color": "#dcdcd8",
    "button_secondary_border_color_dark": "#3a3d42",
    "button_border_width": "1px",
    "button_transition": "background-color 0.15s, border-color 0.15s",
    "slider_color": "*primary_500",
}


def build_theme() -> gr.themes.Base:
    """Build the theme that `launch` gets."""
    return gr.themes.Base(
        primary_hue=_PETROL,
        secondary_hue=_PETROL,
        neutral_hue=gr.themes.colors.zinc,
        radius_size=gr.themes.sizes.radius_md,
        font=_SANS,
        font_mono=_MONO,
    ).set(**_VARIABLES)
