"""The author profiling corpora of PAN."""
