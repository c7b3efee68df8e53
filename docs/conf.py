"""How Sphinx builds the manual."""

from __future__ import annotations

import enum
import re
import sys
from typing import TYPE_CHECKING

from sphinx.pycode import ModuleAnalyzer

from ticketr import __version__

if TYPE_CHECKING:
    from sphinx.application import Sphinx

project = "ticketr"
author = "The ticketr developers"
copyright = "the ticketr developers"  # noqa: A001 - Sphinx's name
release = __version__

extensions = ["myst_parser", "sphinx.ext.autodoc", "sphinx.ext.napoleon"]
html_theme = "furo"
html_title = f"ticketr {release}"
html_static_path = ["_static"]
html_css_files = ["manual.css"]

myst_heading_anchors = 3
# Pages link to files of the repository, which are no pages of the manual.
suppress_warnings = ["myst.xref_missing"]

autodoc_member_order = "bysource"
autodoc_typehints = "signature"
autodoc_class_signature = "mixed"
autodoc_preserve_defaults = True
napoleon_google_docstring = True
napoleon_use_ivar = False
napoleon_use_rtype = False
napoleon_custom_sections = ["Cancellation"]

# A name in the reference that leads nowhere is an error, so no private type gets into it.
nitpicky = True
nitpick_ignore_regex = [
    ("py:.*", r"trio\..*"),
    ("py:class", r"(ticketr(\.\w+)+\.)?[A-Z]s?(_co)?"),  # type variables
    # Names of the standard library.
    (
        "py:class",
        r"([\w.]+\.)?(Abstract\w+|datetime|timedelta|PathLike|TextIO|Async\w+|Awaitable|Callable|Generator|Hashable|Iterable|Mapping|Sequence)",
    ),
    ("py:class", "App|Celery|Task"),
    # Types that their users need not name.
    (
        "py:class",
        r"(tuple\[)?([\w.]+\.)?(Deferrer|ErrorFilter|OnJobError|OnProgress|RunSync|LineOutput|RunningJob|JobsSinceIdle)",
    ),
    ("py:class", r"dict\[JobID"),
]

MADE_BY_USERS = {
    "FakeJob",
    "Keep",
    "LineStyle",
    "Rate",
    "Retry",
    "SqliteHistory",
    "StatusLine",
    "StatusModel",
}
"""The classes that a program calls; what others are made of is no business of their users."""


documented: set[str] = set()
"""What the docstring of the present class says of its attributes."""


def member_docs(obj: object) -> dict[str, str]:
    """Return what stands below the members of an enumeration, which Python does not keep."""
    if not (isinstance(obj, type) and issubclass(obj, enum.Enum)):
        return {}
    found = {}
    for name, module in list(sys.modules.items()):
        if name.startswith("ticketr.") and getattr(module, obj.__name__, None) is obj:
            for (owner, member), lines in ModuleAnalyzer.for_module(name).find_attr_docs().items():
                if owner == obj.__name__:
                    found[member] = " ".join(lines).strip()
    return found


def describe_members(
    app: Sphinx, what: str, name: str, obj: object, options: object, lines: list[str]
) -> None:
    """Add what stands below the members to the docstring of their enumeration."""
    if docs := member_docs(obj):
        lines += ["Attributes:", *(f"    {member}: {text}" for member, text in docs.items()), ""]


def sign_class(
    app: Sphinx, what: str, name: str, obj: object, options: object, signature: str, returns: str
) -> tuple[str, str] | None:
    """Leave out the signature of a class whose objects come from elsewhere."""
    if what not in {"class", "exception"}:
        return None
    documented.clear()
    documented.update(re.findall(r"^    +(\w+): ", obj.__doc__ or "", re.MULTILINE))
    documented.update(member_docs(obj))
    is_made_by_users = not signature or name.rpartition(".")[2] in MADE_BY_USERS
    return None if is_made_by_users else ("", "")


def skip_documented(
    app: Sphinx, what: str, name: str, obj: object, skip: object, options: object
) -> bool | None:
    """Leave out a member that the docstring of its class describes."""
    return True if what == "class" and name in documented else None


def setup(app: Sphinx) -> None:
    """Connect the above to Sphinx."""
    app.connect("autodoc-process-signature", sign_class)
    app.connect("autodoc-process-docstring", describe_members, priority=400)  # before napoleon
    app.connect("autodoc-skip-member", skip_documented)
