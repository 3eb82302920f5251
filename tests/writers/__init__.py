"""Writers of competition formats, which loaders are tested with."""
