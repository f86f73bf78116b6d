"""Pure parts: values and functions over arrays. No disk, no database, no torch, no Gradio."""
