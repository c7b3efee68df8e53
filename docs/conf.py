"""How Sphinx builds the manual."""

from __future__ import annotations

from ticketr import __version__

project = "ticketr"
author = "The ticketr developers"
copyright = "the ticketr developers"  # noqa: A001 - Sphinx's name
release = __version__

extensions = ["myst_parser", "sphinx.ext.autodoc", "sphinx.ext.napoleon"]
html_theme = "furo"
html_title = f"ticketr {release}"

myst_heading_anchors = 3
# Pages link to files of the repository, which are no pages of the manual.
suppress_warnings = ["myst.xref_missing"]

autodoc_member_order = "bysource"
autodoc_typehints = "signature"
autodoc_class_signature = "separated"
napoleon_google_docstring = True
napoleon_use_ivar = True
