"""Sphinx settings; built with warnings as errors."""

from __future__ import annotations

import os
import re
import sys
from pathlib import Path
from typing import Any

from docutils.nodes import SkipNode
from docutils.utils.math.latex2mathml import tex2mathml
from sphinx_gallery.sorting import ExplicitOrder

import sklearn_profiling

_BENCHMARKS = Path(__file__).parents[1] / "benchmarks"
sys.path.insert(0, str(_BENCHMARKS / "accuracy"))
sys.path.insert(0, str(_BENCHMARKS / "speed"))
from measured import write_measured
from result_pages import write_pages
from speed_page import write_planning, write_speed

project = "sklearn_profiling"
author = "The sklearn_profiling developers"
copyright = author
version = release = sklearn_profiling.__version__

extensions = [
    "myst_parser",
    "numpydoc",
    "sphinx.ext.autodoc",
    "sphinx.ext.autosummary",
    "sphinx.ext.viewcode",
    "sphinx_copybutton",
    "sphinx_gallery.gen_gallery",
]
exclude_patterns = [
    "_build",
    "changes.d",
    "examples",
    "results/_planning.md",
    "results/_speed.md",
]
templates_path = ["_templates"]
myst_enable_extensions = ["colon_fence"]
myst_heading_anchors = 3

_PLUMBING = re.compile(
    r"set_\w+_request|set_output|set_callbacks|get_metadata_routing|transform_input"
)
autosummary_generate = True
autodoc_member_order = "groupwise"  # methods, then attributes, each sorted
autodoc_typehints = "none"
toc_object_entries_show_parents = "hide"
numpydoc_show_class_members = False

# Use the same real data as the tests.
_DATA = Path(__file__).parents[2] / "shared" / "data"
if _DATA.is_dir():
    os.environ.setdefault("SKLEARN_PROFILING_DATA", str(_DATA))

_EXAMPLES = [
    "from_files_to_predictions",
    "honest_comparison",
    "poets",
    "missing_everything",
    "grid_search",
    "explanation",
    "calibration_and_abstention",
    "fairness",
    "network_map",
    "new_users",
    "mmlup",
    "aux_lstm",
    "task_relatedness",
    "cnn3d",
    "image_users",
    "own_encoder",
    "generator",
    "dask",
]
sphinx_gallery_conf = {
    "examples_dirs": "examples",
    "gallery_dirs": "auto_examples",
    "abort_on_example_error": True,
    "download_all_examples": False,
    "show_memory": False,
    "write_computation_times": False,
    "within_subsection_order": ExplicitOrder(
        [*(f"plot_{name}.py" for name in _EXAMPLES), "*"]
    ),
    "show_signature": False,
    "remove_config_comments": True,
    "backreferences_dir": "api/backlinks",  # "Gallery examples" of the API pages
    "doc_module": "sklearn_profiling",
}

copybutton_exclude = ".linenos, .gp, .go"  # prompts and output

html_theme = "pydata_sphinx_theme"
html_static_path = ["_static"]
html_css_files = ["site.css"]
html_favicon = "_static/favicon.svg"
html_math_renderer = "mathml"  # which browsers draw without a script from elsewhere
html_title = f"sklearn_profiling {version}"
html_show_sourcelink = False
# Pages without pages below them have nothing to navigate to at their left.
html_sidebars = {"*": [], "api": ["sidebar-nav-bs"]}
html_theme_options = {
    "show_prev_next": False,
    "navbar_end": ["theme-switcher"],
    "header_links_before_dropdown": 5,
    "footer_start": ["copyright"],
    "footer_end": [],
}


def _write_results(app: Any) -> None:
    """Make the pages of results; a table of the list without rows stops the build."""
    write_pages(Path(app.srcdir) / "results")
    write_measured(Path(app.srcdir), Path(app.srcdir) / "results")
    write_speed(Path(app.srcdir) / "results" / "_speed.md")
    write_planning(Path(app.srcdir) / "results" / "_planning.md")


def _skip_plumbing(_app: Any, _what: str, name: str, *_: Any) -> bool | None:
    """Leave out scikit-learn's methods that nobody calls on these classes."""
    return True if _PLUMBING.fullmatch(name) else None


def _leave_out_foreign_labels(*event: Any) -> None:
    """Make words of the labels of scikit-learn's own pages, in inherited docstrings."""
    lines = event[-1]
    text = re.sub(r":ref:`([^<`]*?)\s*(?:<[^`]*>)?`", r"\1", "\n".join(lines))
    lines[:] = text.split("\n")


def _write_formula(translator: Any, node: Any) -> None:
    """Write a formula as MathML."""
    block = node.tagname == "math_block"
    formula = tex2mathml(node.astext(), as_block=block)
    translator.body.append(f'<div class="math">{formula}</div>' if block else formula)
    raise SkipNode


def setup(app: Any) -> None:
    """Call the scripts before the sources are read, and look at docstrings."""
    visits = (_write_formula, None)
    app.add_html_math_renderer("mathml", visits, visits)
    app.connect("builder-inited", _write_results)
    app.connect("autodoc-skip-member", _skip_plumbing)
    app.connect("autodoc-process-docstring", _leave_out_foreign_labels)
