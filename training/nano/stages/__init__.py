"""The training stages of nano: each trains one network, or tunes a finished checkpoint."""
