"""How alike the images of a set are, and how alike real photos: the first claim of a study."""
