"""The short forms: what people write for what Markdown does not have.

A mention is ``@[Name](account ID)``, a panel ``> [!NOTE]``, a date ``{2026-03-01}``; the other
forms are in the modules. A form is written only where it says all of a node; else the HTML of
marklas stays. What only looks like a form gets a backslash.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from ticketr._lazy import import_on_use

if TYPE_CHECKING:
    from ticketr.app.jira.adf.forms.files import ATTACHED, BY_NAME, name_files, without_escapes
    from ticketr.app.jira.adf.forms.inline import COLORS, PANELS, WORDS
    from ticketr.app.jira.adf.forms.read import Reader, read_decisions
    from ticketr.app.jira.adf.forms.write import Writer

#: The modules of these names, each imported when its first name is looked up.
_HOMES = {
    "ATTACHED": "files",
    "BY_NAME": "files",
    "COLORS": "inline",
    "PANELS": "panels",
    "Reader": "read",
    "WORDS": "panels",
    "Writer": "write",
    "name_files": "files",
    "read_decisions": "read",
    "without_escapes": "files",
}

if not TYPE_CHECKING:  # pragma: no branch - to a type checker, any name would seem to exist
    __getattr__ = import_on_use(__name__, _HOMES)
