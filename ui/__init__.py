"""The screen: Gradio, and only Gradio. `app` assembles, one `<name>_page` a page, `events` is the seam."""
