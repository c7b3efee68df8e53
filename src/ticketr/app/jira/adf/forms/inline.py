"""The short forms within a line, each with what it reads and what it writes.

A form reads tokens of mistune and returns other ones: the HTML that marklas reads. It writes a
node of a document as texts that marklas writes unchanged.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from itertools import pairwise
from typing import Any, TypeAlias

from ticketr.app.emoji import emoji_named
from ticketr.app.jira.adf._addresses import BARE_WEB_ADDRESS, ESCAPE_SIGN_PLACEHOLDER, has_mark
from ticketr.app.jira.adf._blocks import PANEL_WORD_BY_KIND
from ticketr.app.jira.adf._canonical import Json
from ticketr.app.jira.adf._signs import BEFORE_AUTOLINK_END_PLACEHOLDER, protect_signs
from ticketr.app.jira.adf._simple import STATUS_COLORS, day_beginning_at
from ticketr.app.jira.adf._tables import blank_code_keeping_lines

#: What is read: the kind of panel by its word.
PANEL_KIND_BY_WORD = {
    **{word: kind for kind, word in PANEL_WORD_BY_KIND.items()},
    "IMPORTANT": "note",
    "SUCCESS": "success",
    "ERROR": "error",
}


_NAME_OR_MAIL_MENTION = re.compile(
    r"""\\.
    |<\w+[ ][^<>\n]*\badf=[^<>\n]*>[^<\n]*
    |(?<![\w@/.+-])@(?:
        \[(?P<name>[^\[\]\\\n@][^\[\]\\\n]{0,99}|[^\[\]\\\s@]{1,60}@[^\[\]\\\s@]{1,60})\](?![(\[:])
        |(?P<mail>\w[\w.+-]{0,63}@[\w-]{1,63}(?:\.[\w-]{1,63}){1,5})
    )""",
    re.VERBOSE,
)
_SPECIAL_IN_NAME = re.compile(r"[\\\[\]*_`~<]")


@dataclass(frozen=True, slots=True)
class NamedPerson:
    """A person who is mentioned without an account ID.

    Attributes:
        mention: The whole mention.
        name_or_email: The name or the e-mail address.
        line_in_text: The line of the text that it is in, from 1 on.
    """

    mention: str
    name_or_email: str
    line_in_text: int


def named_people(markdown: str) -> tuple[NamedPerson, ...]:
    """Return the mentions ``@[Name]`` and ``@mail`` in a text, in their order.

    Args:
        markdown: Any Markdown; what is in code or behind a backslash is not a mention.
    """
    if "@" not in markdown:
        return ()
    return tuple(
        NamedPerson(mention[0], name, at + 1)
        for at, mention, name in _find_mentions_without_account_id(markdown)
    )


def with_account_ids(markdown: str, ids_and_names: Mapping[str, tuple[str, str]]) -> str:
    """Return a text in which mentions hold the account IDs.

    Args:
        markdown: The text.
        ids_and_names: The account ID and the name of each person who is found, by the name in the
            text.
    """
    if not ids_and_names or "@" not in markdown:
        return markdown
    lines = markdown.split("\n")
    for at, mention, wanted in reversed(list(_find_mentions_without_account_id(markdown))):
        if wanted in ids_and_names:
            account, name = ids_and_names[wanted]
            escaped = _SPECIAL_IN_NAME.sub(r"\\\g<0>", name)
            start, end = lines[at][: mention.start()], lines[at][mention.end() :]
            lines[at] = f"{start}@[{escaped}]({account}){end}"
    return "\n".join(lines)


def _find_mentions_without_account_id(markdown: str) -> Iterator[tuple[int, re.Match[str], str]]:
    """Yield the mentions of people without an account ID: the index of the line, and the name."""
    for at, line in enumerate(blank_code_keeping_lines(markdown).split("\n")):
        for mention in _NAME_OR_MAIL_MENTION.finditer(line):
            if name := mention["name"] or mention["mail"]:
                yield at, mention, name.strip()


MistuneToken: TypeAlias = dict[str, Any]

#: What Jira calls a color of a status that is written in another way.
_STATUS_COLOR_BY_ALIAS = {"grey": "neutral", "gray": "neutral"}

#: An account ID; no address of a page looks like one.
_ACCOUNT_ID = r"(?!mailto:|tel:)[A-Za-z0-9][\w:-]{0,127}"
_ACCOUNT_ID_PATTERN = re.compile(_ACCOUNT_ID, re.ASCII)
_STATUS_COLOR = re.compile(rf"\{{({'|'.join((*STATUS_COLORS, *_STATUS_COLOR_BY_ALIAS))})\}}")
_BRACED_DATE = r"\{(?P<date>\d{4}-\d\d-\d\d)\}"
_EMOJI_NAME_REGEX = r"(?:[a-z0-9][a-z0-9_+-]{0,60}|[+-]1)"
_EMOJI = rf"(?<![\w:/])(?P<emoji>(?::{_EMOJI_NAME_REGEX}:)+)(?![\w:])"
_ADDRESS_DATE_OR_EMOJI = re.compile(rf"{BARE_WEB_ADDRESS.pattern}|{_BRACED_DATE}|{_EMOJI}")
_CARD_ADDRESS = re.compile(r"https?://[^\s<>\"'\\|&]+(?:&(?!#?\w+;)[^\s<>\"'\\|&]*)*", re.ASCII)
_BEFORE_EMOJI = re.compile(r".*[^\w:/]\Z", re.DOTALL)
_AFTER_EMOJI = re.compile(r"[^\w:]")
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


def html_token(tag: str) -> MistuneToken:
    """Return a tag within a line."""
    return {"type": "inline_html", "raw": tag}


def json_for_attr(values: Json) -> str:
    """Return attributes of a node as marklas reads them in a tag."""
    result = json.dumps(values, ensure_ascii=False, separators=(",", ":"))
    return result.replace("&", "&amp;").replace("'", "&#39;")


def _node_tokens(kind: str, values: Json, *shown: MistuneToken) -> list[MistuneToken]:
    return [
        html_token(f"<span adf=\"{kind}\" params='{json_for_attr(values)}'>"),
        *shown,
        html_token("</span>"),
    ]


def text_node(words: str) -> Json:
    """Return a text of a document."""
    return {"type": "text", "text": words}


# Mentions: @[Name](account ID)


def read_mention(
    before: MistuneToken | None, link: MistuneToken, address: str
) -> list[MistuneToken] | None:
    """Return the tokens of a mention, from a link and the text before it.

    Args:
        before: What is before the link.
        link: The link.
        address: Its address.
    """
    if before is None or not before.get("raw", "").endswith("@") or before["type"] != "text":
        return None
    children = link["children"]
    if "title" in link["attrs"] or not _ACCOUNT_ID_PATTERN.fullmatch(address):
        return None
    if any(value["type"] not in {"text", "softbreak"} for value in children):
        return None
    name = "".join(value.get("raw", " ") for value in children)
    shown = [{"type": "text", "raw": f"@{name}"}] if name else []
    rest = {"type": "text", "raw": before["raw"][:-1]}
    return [rest, *_node_tokens("mention", {"id": address}, *shown)]


def _write_mention(attrs: Json) -> list[Json] | None:
    """Return a mention as a link to the account; None if that does not say all of it."""
    match attrs:
        case {"id": str(account), **rest} if rest.keys() <= {"text"}:
            shown = rest.get("text")
            name = "" if shown is None else _mention_name(shown)
            if name is not None and _ACCOUNT_ID_PATTERN.fullmatch(account):
                return [text_node(f"@{protect_signs('[')}{name}{protect_signs(f']({account})')}")]
    return None


def _mention_name(shown: object) -> str | None:
    if not isinstance(shown, str) or not shown.startswith("@"):
        return None
    name = shown[1:]
    good = name and name == name.strip() and name.isprintable() and "://" not in name
    return name if good and "&#" not in name else None


# A status: `TEXT`{color}


def read_status(code: MistuneToken | None, words: str) -> tuple[list[MistuneToken], str] | None:
    """Return the tokens of a status and the rest of the words behind it.

    Args:
        code: What is before the words.
        words: The words, which may begin with a color.
    """
    match = _STATUS_COLOR.match(words)
    if match is None or code is None or code["type"] != "codespan" or not code["raw"]:
        return None
    color = _STATUS_COLOR_BY_ALIAS.get(match[1], match[1])
    return _node_tokens("status", {"color": color}, code), words[match.end() :]


# Dates: {2026-03-01}, and emoji: :name:


def _date_tokens(day: str) -> list[MistuneToken] | None:
    try:
        moment = datetime.fromisoformat(day).replace(tzinfo=UTC)
    except ValueError:
        return None
    stamp = (moment - _EPOCH) // timedelta(milliseconds=1)
    return [html_token(f'<time adf="date" datetime="{stamp}">'), html_token("</time>")]


def _emoji_tokens(names: str) -> list[MistuneToken] | None:
    """Return the tokens of adjacent emoji such as ``:a::b:``; None if one is unknown."""
    emojis = [emoji_named(name) for name in names[1:-1].split("::")]
    result: list[MistuneToken] = []
    for emoji in emojis:
        if emoji is None:
            return None
        shown = {"type": "text", "raw": emoji["text"]}
        result += _node_tokens("emoji", {"shortName": emoji["shortName"], "id": emoji["id"]}, shown)
    return result


def read_dates_and_emoji(words: str) -> Iterator[MistuneToken]:
    """Yield the tokens of a text, and of the dates and emoji in it."""
    at = 0
    for start, end, result in _find_dates_and_emoji(words):
        if at < start:
            yield {"type": "text", "raw": words[at:start]}
        yield from result
        at = end
    if at < len(words):
        yield {"type": "text", "raw": words[at:]}


def _find_dates_and_emoji(words: str) -> Iterator[tuple[int, int, list[MistuneToken]]]:
    """Yield the start and end of each date and emoji in a text, and its tokens."""
    if "{" not in words and ":" not in words:
        return
    for match in _ADDRESS_DATE_OR_EMOJI.finditer(words):
        result = None
        if match["date"]:
            result = _date_tokens(match["date"])
        elif match["emoji"]:
            result = _emoji_tokens(match["emoji"])
        if result is not None:
            yield *match.span(), result


# Cards: <https://...>, and <https://...>{card} for a large one

#: What follows the address of a card that is a block.
BLOCK_CARD_SUFFIX = "{card}"


def read_card(address: str) -> list[MistuneToken] | None:
    """Return the tokens of a card within a line, from the text of a link.

    An address that `write_card` would not write makes a link.
    """
    bare = address.removesuffix(BEFORE_AUTOLINK_END_PLACEHOLDER)
    if bare == address or not _CARD_ADDRESS.fullmatch(bare):
        return None
    return [html_token(f'<a adf="inlineCard" href="{bare}">'), html_token("</a>")]


def write_card(attrs: Json) -> list[Json] | None:
    """Return an address in angle brackets, if a card is no more than that."""
    match attrs:
        case {"url": str(address), **rest} if not rest and _CARD_ADDRESS.fullmatch(address):
            return [text_node(protect_signs(f"<{address}>"))]
    return None


# Tags: <u>, <sub>, <sup>

_ADF_KIND_BY_TAG = {"u": "underline", "sub": "subSup", "sup": "subSup", "details": "nestedExpand"}


def tag_for_marklas(tag: str) -> str:
    """Return a tag as marklas reads it; `details` is only within a line in a cell."""
    kind = _ADF_KIND_BY_TAG.get(tag[1:-1].removesuffix(" open"))
    return f'<{tag[1:-1].removesuffix(" open")} adf="{kind}">' if kind else tag


def tag_of(mark: Any) -> str | None:
    """Return the tag for a mark, or None."""
    match mark:
        case {"type": "underline"} if len(mark) == 1:
            return "u"
        case {"type": "subsup", "attrs": {"type": "sub" | "sup" as tag}} if len(mark) == 2:
            return str(tag) if len(mark["attrs"]) == 1 else None
    return None


def write_short_form(node: Json, before: Json | None, after: Json | None) -> list[Json] | None:
    """Return the texts that stand for a node, or None if no short form says all of it.

    Args:
        node: The node.
        before: What is before it.
        after: What follows it.
    """
    attrs = node.get("attrs")
    if type(attrs) is not dict or node.keys() != {"type", "attrs"}:
        return None
    match node["type"], attrs:
        case "mention", _:
            return _write_mention(attrs)
        case "inlineCard", _:
            return write_card(attrs)
        case "status", {"text": str(label), "color": str(color), **rest} if not rest:
            if color in STATUS_COLORS and label and label.isprintable():
                return [
                    {**text_node(label), "marks": [{"type": "code"}]},
                    text_node(f"{{{color}}}"),
                ]
        case "date", {"timestamp": str(stamp), **rest} if not rest:
            day = day_beginning_at(stamp)
            return [text_node(f"{{{day}}}")] if day is not None else None
        case "emoji", {"shortName": str(name)} if emoji_named(name[1:-1]) == attrs:
            if _may_be_beside_emoji(before, _BEFORE_EMOJI) and _may_be_beside_emoji(
                after, _AFTER_EMOJI
            ):
                return [text_node(protect_signs(name))]
    return None


def _may_be_beside_emoji(near: Json | None, pattern: re.Pattern[str]) -> bool:
    """Return whether an emoji beside a node is read as one."""
    words = near.get("text") if near is not None else None
    return type(words) is not str or pattern.match(words) is not None


def escape_short_forms(words: str, before: Json | None, after: Json | None) -> str:
    """Return a text in which nothing is read as a short form.

    Args:
        words: The text.
        before: What is before it.
        after: What follows it.
    """
    starts = [start for start, _, _ in _find_dates_and_emoji(words)]
    escaped = words
    if starts:
        ends = (*starts, len(words))
        escaped = ESCAPE_SIGN_PLACEHOLDER.join(
            [words[start:end] for start, end in pairwise((0, *ends))]
        )
    if words.endswith("@") and after is not None and _links_to_account(after):
        escaped = f"{escaped[:-1]}{ESCAPE_SIGN_PLACEHOLDER}@"
    if before is not None and has_mark(before, "code") and _STATUS_COLOR.match(words):
        escaped = f"{ESCAPE_SIGN_PLACEHOLDER}{escaped}"
    return escaped


def _links_to_account(node: Json) -> bool:
    marks = node.get("marks")
    for mark in marks if type(marks) is list else ():
        match mark:
            case {"type": "link", "attrs": {"href": str(href)}} if _ACCOUNT_ID_PATTERN.fullmatch(
                href
            ):
                return True
    return False
