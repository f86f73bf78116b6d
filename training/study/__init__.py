"""Every arm with every seed, the statistics over them, and the verdict."""
