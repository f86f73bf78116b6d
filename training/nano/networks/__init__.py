"""The networks of nano: how they are built, tokenized and written as a diffusers folder."""
