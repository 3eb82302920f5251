"""Parts of :mod:`sklearn_profiling.sources`; import from there."""
