"""The site: `nox -s docs` builds it without a network, and fails on a warning.

Two environment variables ask for what needs one:
`OPTEXP_DOCS_INTERSPHINX=1` links to the pages of other libraries, and
`OPTEXP_DOCS_SOURCE=https://.../blob/main` links from the API to the source there.
"""

from __future__ import annotations

import importlib
import inspect
import itertools
import os
import re
import sys
from pathlib import Path
from typing import Any

ROOT = Path(__file__).parents[1]
SOURCE = os.environ.get("OPTEXP_DOCS_SOURCE", "").rstrip("/")
sys.path.insert(0, str(ROOT))  # the code of this checkout, installed or not
# Notebooks run in a process of their own.
os.environ["PYTHONPATH"] = os.pathsep.join([str(ROOT), os.environ.get("PYTHONPATH", "")])
os.environ |= {"OPTEXP_WORKSPACE": "workspace", "OPTEXP_WANDB_ENABLED": "false"}

sys.path.insert(0, str(Path(__file__).parent))

import paper_gallery
import public_names

from optexp_jax.version import VERSION

project = "optexp-jax"
author = copyright = "The optexp-jax founders"
release = version = VERSION

extensions = [
    "myst_nb",
    "sphinx.ext.autodoc",
    "sphinx.ext.autosummary",
    "sphinx.ext.napoleon",
    "sphinx_copybutton",
    "sphinx_design",
    # Without an address of the source, the site holds a copy of it.
    "sphinx.ext.linkcode" if SOURCE else "sphinx.ext.viewcode",
]
templates_path = ["_templates"]
exclude_patterns = ["_build", "generated"]  # the gallery includes what is in the latter

myst_enable_extensions = ["colon_fence", "deflist"]
myst_heading_anchors = 4
nb_execution_mode = "cache"
nb_execution_in_temp = True
nb_execution_timeout = 300
nb_execution_raise_on_error = True
nb_merge_streams = True

autosummary_generate = True
autosummary_context = {"tables": public_names.tables()}
autodoc_member_order = "bysource"
autodoc_type_aliases = {name: name for name in ("ArrayLike", "Initializer", "Length")}
napoleon_google_docstring = True
napoleon_numpy_docstring = False
python_maximum_signature_line_length = 88
viewcode_line_numbers = True

copybutton_prompt_text = r">>> |\.\.\. |\$ "
copybutton_prompt_is_regexp = True

html_theme = "sphinx_book_theme"
html_title = "optexp-jax"
html_static_path = ["_static"]
html_css_files = ["site.css"]
html_context = {"default_mode": "auto"}  # light or dark, as the reader's system
html_theme_options = {
    "use_download_button": False,
    "show_toc_level": 2,
    "max_navbar_depth": 2,  # the names of a room are listed on its page
    "navbar_persistent": [],  # the side bar has the search
}

if os.environ.get("OPTEXP_DOCS_INTERSPHINX"):
    extensions.append("sphinx.ext.intersphinx")
    intersphinx_mapping = {
        "python": ("https://docs.python.org/3", None),
        "numpy": ("https://numpy.org/doc/stable", None),
        "jax": ("https://docs.jax.dev/en/latest", None),
        "optax": ("https://optax.readthedocs.io/en/latest", None),
        "flax": ("https://flax.readthedocs.io/en/latest", None),
    }


def linkcode_resolve(domain: str, info: dict[str, str]) -> str | None:
    """The address of the source of a name; None where it has none."""
    if domain != "py" or not info["module"]:
        return None
    found: Any = importlib.import_module(info["module"])
    for part in info["fullname"].split("."):
        found = getattr(found, part, None)
    try:
        file = Path(inspect.getsourcefile(inspect.unwrap(found)) or "")
        lines, first = inspect.getsourcelines(found)
    except TypeError:
        return None
    if not file.is_relative_to(ROOT):
        return None
    return f"{SOURCE}/{file.relative_to(ROOT)}#L{first}-L{first + len(lines) - 1}"


def _prose(line: str) -> str:
    """A line of a docstring in the markup of Sphinx: literals, and bars that are only bars."""
    if line.lstrip().startswith((">>>", "...")):
        return line
    pieces = re.split(r"(`[^`]+`)", line)
    plain, literal = pieces[::2], [f"`{piece}`" for piece in pieces[1::2]]
    escaped = [piece.replace("|", r"\|") for piece in plain]
    return "".join(itertools.chain(*itertools.zip_longest(escaped, literal, fillvalue="")))


def _mark_up(*event: Any) -> None:
    """Docstrings are written for people: mark them up before Sphinx reads them."""
    lines = event[-1]
    lines[:] = [_prose(line) for line in lines]


def _without_flax(*event: Any) -> tuple[str | None, str | None]:
    """The signature of a Linen module without the two arguments that Flax adds."""
    signature, returned = event[-2:]
    return re.sub(
        r", parent: .*\)$", ")", signature, flags=re.DOTALL
    ) if signature else None, returned


def setup(app: Any) -> None:
    """Tell Sphinx of what is above."""
    paper_gallery.write()
    app.connect("autodoc-process-signature", _without_flax)
    app.connect("autodoc-process-docstring", _mark_up, priority=100)  # before napoleon
