"""The short forms: what a hand can write for what Markdown does not have.

A mention is ``@[Name](account ID)``, a panel ``> [!NOTE]``, a date ``{2026-03-01}``; the other
forms stand in the modules. A form is written only where it says all of a node; else the HTML of
marklas stays. What only looks like a form gets a backslash.
"""

from __future__ import annotations

from ticketr.jira.adf.forms.files import ATTACHED, BY_NAME, name_files
from ticketr.jira.adf.forms.inline import COLORS
from ticketr.jira.adf.forms.panels import PANELS, WORDS
from ticketr.jira.adf.forms.read import Reader, read_decisions
from ticketr.jira.adf.forms.write import Writer

__all__ = [
    "ATTACHED",
    "BY_NAME",
    "COLORS",
    "PANELS",
    "WORDS",
    "Reader",
    "Writer",
    "name_files",
    "read_decisions",
]
