"""Options that make the command line quick."""

NET = ["--max-epochs", "1", "--filters", "2", "--kernel-sizes", "1"]
QUICK = [*NET, "--jobs", "1"]
SMALL_IMAGES = ["--image-size", "8", "--image-filters", "2"]
SMALL = ["--hidden", "2", "--nodes", "2", "--dimensions", "4", "--max-words", "9"]
SMALL += ["--lstm-epochs", "1", "--level", "user"]
