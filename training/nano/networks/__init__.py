"""The networks of nano: building, tokenizer, and export as a diffusers folder."""
