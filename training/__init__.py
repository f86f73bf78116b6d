"""Training: releases in, trained networks and the verdict out."""
