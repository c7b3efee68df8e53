"""Renders the Markdown of ticket files to lines of styled text. Pure.

markdown-it parses. The rest is ours: `blocks` walks over the blocks and writes them to a `page`,
`inline` turns the text of a block into lines, `tables` lays out tables, and `tags` tells the HTML
that ticketr itself writes into files from text in angle brackets.
"""

from __future__ import annotations

from ticketr.app.tui.markdown.blocks import LONGEST_TEXT, render_markdown
from ticketr.app.tui.markdown.page import RenderedLine

__all__ = ["LONGEST_TEXT", "RenderedLine", "render_markdown"]
