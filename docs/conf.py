"""Sphinx settings; built with warnings as errors."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Any

import sklearn_profiling

sys.path.insert(0, str(Path(__file__).parents[1] / "benchmarks" / "accuracy"))
from result_pages import write_pages

project = "sklearn_profiling"
author = "The sklearn_profiling developers"
copyright = author
version = release = sklearn_profiling.__version__

extensions = [
    "myst_parser",
    "numpydoc",
    "sphinx.ext.autodoc",
    "sphinx.ext.autosummary",
    "sphinx.ext.mathjax",
    "sphinx_gallery.gen_gallery",
]
exclude_patterns = ["_build", "examples"]
templates_path = ["_templates"]
myst_enable_extensions = ["colon_fence"]
myst_heading_anchors = 3

autosummary_generate = True
autodoc_typehints = "none"
numpydoc_show_class_members = False

sphinx_gallery_conf = {
    "examples_dirs": "examples",
    "gallery_dirs": "auto_examples",
    "abort_on_example_error": True,
    "download_all_examples": False,
    "show_memory": False,
    "show_signature": False,
    "remove_config_comments": True,
}

html_theme = "pydata_sphinx_theme"
html_static_path = ["_static"]
html_title = "sklearn_profiling"
html_show_sourcelink = False
html_theme_options = {
    "show_prev_next": False,
    "navbar_end": ["theme-switcher"],
    "footer_start": ["copyright"],
    "footer_end": [],
}


def _write_results(app: Any) -> None:
    """Make the pages of results; a table of the list without rows stops the build."""
    write_pages(Path(app.srcdir) / "results")


def setup(app: Any) -> None:
    """Call the script before the sources are read."""
    app.connect("builder-inited", _write_results)
