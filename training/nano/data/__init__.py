"""The training data of nano: scenes drawn from textures, and the words that describe them."""
