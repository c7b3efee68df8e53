"""Reads the short forms of what Markdown does not have, as docs/format.md lists them.

Tokens of the parser that make a form become the tags that earlier files hold for it, which the rest
of the package shows.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from datetime import date
from typing import Final

from markdown_it.token import Token

from ticketr.app.emoji import emoji_named

#: The kind of a panel by the word in its mark.
PANELS: Final = {
    "INFO": "info",
    "NOTE": "note",
    "TIP": "success",
    "WARNING": "warning",
    "CAUTION": "error",
    "HINT": "tip",
    "IMPORTANT": "note",
    "SUCCESS": "success",
    "ERROR": "error",
}
#: What an item of a list begins with that is a decision.
DECISION: Final = "<> "

_PANEL = re.compile(r"\[!(\w{1,20})\][ \t]*(?:\n|\Z)")
_ACCOUNT = re.compile(r"(?!mailto:|tel:)[A-Za-z0-9][\w:-]{0,127}", re.ASCII)
_STATUS = re.compile(r"\{(?:neutral|grey|gray|purple|blue|red|yellow|green)\}")
_NODE = re.compile(
    r"""<(\w+)\s[^>]*\badf=["'](?:emoji|media|mediaInline|mention|placeholder|status)\b"""
)
_TEXT_TOKENS = frozenset({"text", "text_special"})
_LAYOUT_IN_BRACES = re.compile(r"\{[\w .%-]{0,60}\}\Z", re.ASCII)
_IN_TEXT = re.compile(
    r"""https?://\S+
    |\{(?P<date>\d{4}-\d\d-\d\d)\}
    |(?<![\w:/])(?P<emoji>(?::(?:[a-z0-9][a-z0-9_+-]{0,60}|[+-]1):)+)(?![\w:])""",
    re.VERBOSE,
)


def panel_of(content: str) -> str | None:
    """Return the kind of panel that a quote is, by the text of its first paragraph."""
    match = _PANEL.match(content)
    return PANELS.get(match[1].upper()) if match else None


def read_forms(tokens: Sequence[Token]) -> list[Token]:
    """Return the tokens of a block, with tags in the place of forms."""
    made: list[Token] = []
    at, closing = 0, ""
    while at < len(tokens):
        end = _mention_end(tokens, at)
        if closing or tokens[at].type == "html_inline":
            tag = tokens[at].content
            closing = _closing(tag) if not closing else "" if tag == closing else closing
            made.append(tokens[at])
        elif end and made and made[-1].type == "text" and made[-1].content.endswith("@"):
            made[-1].content = made[-1].content[:-1]
            name = _text("@" + "".join(token.content or " " for token in tokens[at + 1 : end]))
            made += _tag("span", "mention", name)
            at = end
        elif tokens[at].type == "text":
            _read_text(tokens[at], made)
        else:
            made.append(tokens[at])
        at += 1
    return _join_texts(made)


def _closing(tag: str) -> str:
    """Return the end tag of a node whose text is shown as it is; else nothing."""
    match = _NODE.match(tag)
    return f"</{match[1]}>" if match else ""


def _join_texts(tokens: list[Token]) -> list[Token]:
    """Join texts with those that were behind backslashes."""
    made: list[Token] = []
    for token in tokens:
        if token.type not in _TEXT_TOKENS:
            made.append(token)
        elif made and made[-1].type == "text":
            made[-1].content += token.content
        else:
            made.append(_text(token.content))
    return made


def _mention_end(tokens: Sequence[Token], at: int) -> int:
    """Return the place at which a link ends whose address is an account; 0 if there is none."""
    if tokens[at].type != "link_open" or not _ACCOUNT.fullmatch(str(tokens[at].attrs.get("href"))):
        return 0
    for end in range(at + 1, len(tokens)):
        if tokens[end].type == "link_close":
            return end
        if tokens[end].type not in _TEXT_TOKENS | {"softbreak"}:
            break
    return 0


def _read_text(token: Token, made: list[Token]) -> None:
    """Add the tokens of a text to those before it."""
    words = token.content
    before = made[-1] if made else None
    if before is not None and before.type == "code_inline" and (match := _STATUS.match(words)):
        made[-1:] = _tag("span", "status", before)
        words = words[match.end() :]
    elif before is not None and before.type == "image" and _LAYOUT_IN_BRACES.match(words):
        words = ""
    made += _in_text(words)


def _in_text(words: str) -> Iterator[Token]:
    at = 0
    for match in _IN_TEXT.finditer(words):
        shown = _shown_text(match)
        if shown is not None:
            yield _text(words[at : match.start()])
            yield from _tag("span", "date" if match["date"] else "emoji", _text(shown))
            at = match.end()
    yield _text(words[at:])


def _shown_text(match: re.Match[str]) -> str | None:
    """Return what is shown of a date or of emoji; None if it is neither."""
    if match["date"]:
        try:
            return date.fromisoformat(match["date"]).isoformat()
        except ValueError:
            return None
    if not match["emoji"]:
        return None
    emoji = [emoji_named(name) for name in match["emoji"][1:-1].split("::")]
    if None in emoji:
        return None
    return "".join(entry["text"] for entry in emoji if entry is not None)


def _tag(name: str, kind: str, shown: Token) -> list[Token]:
    return [_html(f'<{name} adf="{kind}">'), shown, _html(f"</{name}>")]


def _html(tag: str) -> Token:
    return Token("html_inline", "", 0, content=tag)


def _text(words: str) -> Token:
    return Token("text", "", 0, content=words)
