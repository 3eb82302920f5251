"""The format of MEX-A3T."""
