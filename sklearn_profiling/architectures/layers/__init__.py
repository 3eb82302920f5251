"""Parts that architectures are built from; each knows torch only."""
