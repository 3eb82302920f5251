"""Training and searching of the generators of profiles."""
