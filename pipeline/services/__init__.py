"""The operations of the studio, one package for each noun; `pipeline.studio` composes them."""
