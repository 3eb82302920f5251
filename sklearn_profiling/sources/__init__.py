"""Transformers from a table of users to the sources that estimators read."""
