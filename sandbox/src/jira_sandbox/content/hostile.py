"""Titles and texts that a careless program mishandles.

Every user of Jira can type them, so any ticket may contain them.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from jira_sandbox.content.adf import bullets, code, code_block, doc, heading, p, text

if TYPE_CHECKING:
    from jira_sandbox.data.model import Adf

#: Titles of at most 255 characters, which is Jira's limit.
TITLES: Final = (
    "Price shows \x1b[31mred\x1b[0m text and \x1b]0;owned\x07 sets the window title",
    "# TICKET: [DEMO-1] Not a heading of ours",
    "../../x",
    "Invoice \u202egnp.exe\u202c is not what it seems",
    "[DEMO-2] A key in brackets that belongs to somebody else",
    "Clear the screen \x1b[2J\x1b[H and \x9b1;1H go home",
    "Emoji at the edge 👩‍👩‍👧‍👦 🇮🇪 ✈️ e\u0301 ﷽",
    "Zero\u200bwidth\u200d and\u2060 invisible\ufeff characters",
    "## Tasks",
    "- [ ] A box in a title",
    "A very long title: " + "all the way round the harbour and back again, " * 5,
    "\u200fقائمة القراءة المشتركة\u200f مع عنوان من اليمين إلى اليسار",  # noqa: RUF001 - hostile on purpose
    "Percent %s %d {braces} ${dollar} `backtick` \\backslash 'quotes' \"double\"",
    "<script>alert('hi')</script> & <b>bold</b>",
    "Tab\there, and a line\u2028separator there",
    "全角文字のタイトル\uff1a表示幅は文字数の二倍になります",
)

_LOOKALIKES: Final = (
    "# TICKET: [DEMO-1] A line that looks like a ticket",
    "## Description",
    "## Fields",
    "Priority: not a field",
    "- [DEMO-3] looks like a task",
    "<<<<<<< HEAD",
    "=======",
    ">>>>>>> theirs",
    "---",
    "> not a quotation",
    "1. not a list",
    "    not code",
    "| not | a table |",
    "*not bold* _not italic_ `not code` [not](a-link) <not@mail>",
)


def lookalikes() -> Adf:
    """Make a document of paragraphs that resemble the syntax of a ticket file."""
    return doc(*(p(line) for line in _LOOKALIKES))


def confusing() -> Adf:
    """Make a document with control characters, fences in code and odd white space."""
    return doc(
        heading(2, "Tasks"),
        p("The heading above is a heading of the description, and no section of a file."),
        code_block("markdown", "```\n# TICKET: inside a fence\n~~~\n## Fields\nA: b\n```"),
        p("Escape \x1b[2J, bell \x07, bidi \u202etxet desrever\u202c, tab\tend "),
        p(text("trailing space ", "strong"), "then text, then ", code("a `tick` b")),
        bullets("- a dash", "[x] a box", "## Acceptance Criteria"),
    )
