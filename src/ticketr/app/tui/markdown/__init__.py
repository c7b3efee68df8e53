"""Renders the Markdown of ticket files to lines of styled text. Pure.

markdown-it parses. The rest is ours: `blocks` walks over the blocks, lays out tables and writes all
of it to a `page`; `inline` turns the text of a block into lines.
"""

from __future__ import annotations

from ticketr.app.tui.markdown.blocks import MAX_MARKDOWN_CHARACTERS, render_markdown
from ticketr.app.tui.markdown.page import RenderedLine

__all__ = ["MAX_MARKDOWN_CHARACTERS", "RenderedLine", "render_markdown"]
