"""What people write that other programs turn into something, and that reaches Jira as it stands.

A mention, an emoji by its name, a tag of HTML, GitHub's alerts, a picture beside the file: each is
sent as a text, or as a picture that nobody can see. Whoever wrote it should know.
"""

from __future__ import annotations

import re
from collections import Counter
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from ticketr.jira.adf._plain import prose
from ticketr.jira.adf._tables import blank_code
from ticketr.jira.words import clip

if TYPE_CHECKING:
    from collections.abc import Iterator

    from ticketr.jira.adf._canonical import Json

_TAGS = (
    "a|abbr|b|big|button|center|cite|code|col|dd|del|details|div|dl|dt|em|figure|font|form|h[1-6]|i"
    "|iframe|img|input|ins|kbd|label|li|mark|ol|pre|q|s|samp|section|small|span|strike|strong|sub"
    "|summary|sup|table|tbody|td|th|thead|tr|tt|u|ul|var|video"
)
_PANELS = {
    "CAUTION": "error",
    "IMPORTANT": "note",
    "NOTE": "info",
    "TIP": "tip",
    "WARNING": "warning",
}
_LITERAL = re.compile(
    rf"""\\.
    |(?P<alert>(?<=>)[ \t]*\[!(?P<panel>[A-Za-z]{{1,20}})\])
    |(?<![\w@/.+-])(?P<mention>@[^\W\d_][\w.-]*\w)
    |(?<![\w:/])(?P<emoji>:(?:[a-z][a-z0-9_+-]{{1,40}}|[+-]1):)(?![\w:])
    |(?<!\w)(?P<tag><(?:{_TAGS})(?=[\s/>])[^<>\n]*>)
    |!\[[^\]\n]{{0,300}}\]\((?P<image>[^\s()]{{1,2000}})[^()\n]{{0,300}}\)
    |<\w+[ ][^<>\n]{{0,40}}\badf=[^<>\n]*>(?P<shown>[^<\n]*)""",
    re.VERBOSE,
)


@dataclass(frozen=True, slots=True)
class Literal:
    """A piece of Markdown that reaches Jira as it stands, or as nothing that can be seen.

    Attributes:
        text: The piece.
        line: The line that it stands in, from 1 on.
        reason: What Jira makes of it, in words.
    """

    text: str
    line: int
    reason: str


def find_literals(markdown: str, document: Json, *, before: str = "") -> Iterator[Literal]:
    """Yield the pieces of Markdown that reach Jira as they stand.

    Args:
        markdown: The Markdown.
        document: What was made of it.
        before: What stood there until now; what it holds is no news.
    """
    known = Counter(piece for piece, _, _ in _candidates(before))
    said = "\n".join(prose(document))
    pictures = set(_pictures(document))
    for piece, line, reason in _candidates(markdown):
        if known[piece]:
            known[piece] -= 1
        elif piece in pictures or piece in said:
            yield Literal(clip(piece, 40), line, reason)


def _candidates(markdown: str) -> Iterator[tuple[str, int, str]]:
    """Yield what looks like such pieces outside of code, each with its line and what to know."""
    for number, line in enumerate(blank_code(markdown).split("\n"), start=1):
        for found in _LITERAL.finditer(line):
            kind = found.lastgroup
            if kind == "alert":
                panel = _PANELS.get(found["panel"].upper())
                if panel is not None:
                    yield found["alert"].strip(), number, _ALERT.format(panel)
            elif kind == "image":
                if not _is_elsewhere(found["image"]):
                    yield found["image"], number, _REASONS[kind]
            elif kind in _REASONS:
                yield found[kind], number, _REASONS[kind]


_ALERT = (
    'goes to Jira as a word of a quote; for a panel, write <aside adf="panel" '
    'params=\'{{"panelType":"{}"}}\'> and </aside> around it, with empty lines'
)
_REASONS = {
    "mention": "goes to Jira as text and tells nobody; mention people in Jira",
    "emoji": "goes to Jira as text; write the character itself",
    "tag": "goes to Jira as text, for HTML is not read here; write Markdown instead",
    "image": "is the address of a picture that Jira cannot show; attach the file to the issue",
}


def _is_elsewhere(address: str) -> bool:
    return re.match(r"<?[a-zA-Z][a-zA-Z0-9+.-]+:", address) is not None


def _pictures(document: Json) -> Iterator[str]:
    """Yield the addresses of the pictures in a document."""
    ahead: list[Any] = [document]
    while ahead:
        node = ahead.pop()
        if not isinstance(node, dict):
            continue
        attrs = node.get("attrs")
        if node.get("type") == "media" and isinstance(attrs, dict):
            yield str(attrs.get("url", ""))
        content = node.get("content")
        ahead += content if isinstance(content, list) else ()
