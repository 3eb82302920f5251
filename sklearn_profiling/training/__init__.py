"""Training: the one place that knows skorch (batches, losses, loops)."""
