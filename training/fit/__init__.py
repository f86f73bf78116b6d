"""One training run: network, hyper-parameters, training loop and the folder that keeps it."""
