"""Classifiers that write profiles; import from :mod:`sklearn_profiling.estimators`."""
