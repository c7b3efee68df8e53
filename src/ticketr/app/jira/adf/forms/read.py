"""Reads the short forms: turns mistune's tokens into those that marklas reads.

In the order of the text: a quote with a panel's mark becomes a panel, `details` an expand, and a
paragraph that is the address of a large card that card. Decisions become a list of their own only
when the document is made, since marklas would read their text again.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Iterator, Sequence
from itertools import groupby
from typing import Any

from ticketr.app.jira.adf._canonical import Json, content_of
from ticketr.app.jira.adf._placeholders import UNESCAPED_LESS_THAN_PLACEHOLDER
from ticketr.app.jira.adf.forms import inline
from ticketr.app.jira.adf.forms.files import read_picture_attrs
from ticketr.app.jira.adf.forms.inline import MistuneToken

_INLINE_PARENT_TOKEN_TYPES = frozenset({"paragraph", "block_text", "heading", "table_cell"})
_MISTUNE_PARAGRAPH_TYPES = frozenset({"paragraph", "block_text"})
_START_TAG_WITH_ADF_KIND = re.compile(r"""<(\w+)\s[^>]*?\badf=["'](\w+)["']""")
_ATOM_NODES = frozenset(
    {
        *("date", "emoji", "inlineCard", "inlineExtension", "media", "mediaInline", "mention"),
        *("placeholder", "status", "unknownInline"),
    }
)
#: Tokens in a line that hold no form, and those that hold what their children do.
_TOKEN_TYPES_WITHOUT_SHORT_FORM = frozenset({"codespan", "linebreak", "softbreak"})
_EMPHASIS_TOKEN_TYPES = frozenset({"emphasis", "strikethrough", "strong"})
#: The key of the texts that were joined to one.
_TEXTS_BEFORE_JOIN_KEY = "ticketr-parts"
_PANEL_MARK = re.compile(r"[ \t]*\[!(\w+)\][ \t]*")
_DETAILS_START_TAG_PATTERN = re.compile(r"<details(?: open)?>")
_DETAILS_END_TAG = "</details>"
_SUMMARY_ELEMENT = re.compile(r"\s*<summary>[^\n]*?</summary>[ \t]*")
_DECISION_MARK_PATTERN = re.compile(rf"{UNESCAPED_LESS_THAN_PLACEHOLDER}>(?:[ \t]|\Z)")


class ShortFormToHtmlReader:
    """Reads the forms in the tokens of a text.

    Args:
        tokenize: Reads Markdown that is right behind a tag.
        address_of: Returns an address without percent-encoding and without placeholders.
    """

    def __init__(
        self, tokenize: Callable[[str], list[MistuneToken]], address_of: Callable[[str], str]
    ) -> None:
        self._tokenize = tokenize
        self._address_of = address_of
        self._expands = 0

    def read_blocks(self, tokens: Iterable[MistuneToken]) -> list[MistuneToken]:
        """Return the tokens that marklas reads."""
        result: list[MistuneToken] = []
        for token in tokens:
            kind = token["type"]
            if kind == "block_html":
                result += self._read_details_tag(token["raw"])
            elif kind == "block_quote":
                result += self._read_panel_or_quote(token)
            elif kind == "paragraph":
                result += self._read_block_card_or_paragraph(token)
            else:
                result += self._read_forms_in(token)
        return result

    def _read_details_tag(self, tag: str) -> Iterator[MistuneToken]:
        """Turn `details` into an expand, and what follows it into blocks."""
        opened = _DETAILS_START_TAG_PATTERN.match(tag.lstrip())
        if not opened:
            if tag.lstrip().startswith(_DETAILS_END_TAG):
                self._expands -= 1
            elif tag.lstrip().startswith("<details"):
                self._expands += 1
            yield _html_block(tag)
            return
        kind = "nestedExpand" if self._expands else "expand"
        self._expands += 1
        yield _html_block(f'<details adf="{kind}">')
        rest = tag.lstrip()[opened.end() :]
        title = _SUMMARY_ELEMENT.match(rest)
        if title:
            yield _html_block(title[0])
            rest = rest[title.end() :]
        closes = rest.rstrip().endswith(_DETAILS_END_TAG)
        rest = rest.rstrip().removesuffix(_DETAILS_END_TAG)
        if rest.strip():
            yield from self.read_blocks(self._tokenize(rest))
        if closes:
            self._expands -= 1
            yield _html_block(_DETAILS_END_TAG)

    def _read_panel_or_quote(self, token: MistuneToken) -> list[MistuneToken]:
        """Turn a quote with a panel's mark in its first line into a panel."""
        first, *others = token["children"] or [{"type": ""}]
        children = _join_texts(first.get("children", [])) if first["type"] == "paragraph" else []
        mark = _PANEL_MARK.fullmatch(children[0].get("raw", "")) if children else None
        panel = inline.PANEL_KIND_BY_WORD.get(mark[1].upper()) if mark else None
        if panel is None or (children[1:] and children[1]["type"] != "softbreak"):
            return self._read_forms_in(token)
        blocks = others
        if children[2:]:
            blocks = [{**first, "children": children[2:]}, *others]
        elif all(value["type"] == "blank_line" for value in others):
            blocks = [_html_block("<p></p>")]
        opened = inline.json_for_attr({"panelType": panel})
        return [
            _html_block(f"<aside adf=\"panel\" params='{opened}'>"),
            *self.read_blocks(blocks),
            _html_block("</aside>"),
        ]

    def _read_block_card_or_paragraph(self, token: MistuneToken) -> list[MistuneToken]:
        """Turn a paragraph that is the address of a large card into a block."""
        match token["children"]:
            case [
                {"type": "link", "children": [{"type": "text", "raw": str(address)}]},
                {"type": "text", "raw": sign},
            ] if sign == inline.BLOCK_CARD_SUFFIX and inline.read_card(address) is not None:
                result = inline.json_for_attr({"url": address[:-1]})
                return [
                    _html_block(f"<div adf=\"blockCard\" params='{result}'>"),
                    _html_block("</div>"),
                ]
        return self._read_forms_in(token)

    def _read_forms_in(self, token: MistuneToken, *, pictures: bool = True) -> list[MistuneToken]:
        """Read the forms in a block; of blocks themselves only pictures are in lists and quotes."""
        children = token.get("children")
        if not children:
            return [token]
        if token["type"] in _INLINE_PARENT_TOKEN_TYPES:
            alone = pictures and token["type"] in _MISTUNE_PARAGRAPH_TYPES
            picture = self._read_attached_picture(children) if alone else None
            return picture or [{**token, "children": self._read_line(children)}]
        pictures = token["type"] != "task_list_item"  # a task holds paragraphs alone
        result = [
            part for value in children for part in self._read_forms_in(value, pictures=pictures)
        ]
        return [{**token, "children": result}]

    def _read_attached_picture(self, children: Sequence[MistuneToken]) -> list[MistuneToken] | None:
        """Return the tokens of a picture of an attached file, if a paragraph is just that."""
        if children[0]["type"] != "image":
            return None
        match _join_texts(children):
            case [{"type": "image", "attrs": {"url": str(url)} as attrs, "children": alt}, *rest]:
                pass
            case _:
                return None
        if "title" in attrs or [node["type"] for node in rest] not in ([], ["text"]):
            return None
        words = "".join(value.get("raw", " ") for value in alt)
        placed = self._address_of(rest[0]["raw"]) if rest else None
        picture = read_picture_attrs(words, self._address_of(url), placed)
        if picture is None:
            return None
        block, media = picture
        return [
            _html_block(f"<figure adf=\"mediaSingle\" params='{inline.json_for_attr(block)}'>"),
            {
                "type": "paragraph",
                "children": [
                    inline.html_token(
                        f"<span adf=\"media\" params='{inline.json_for_attr(media)}'>"
                    ),
                    inline.html_token("</span>"),
                ],
            },
            _html_block("</figure>"),
        ]

    def _read_line(
        self, tokens: Sequence[MistuneToken], *, linked: bool = False
    ) -> Sequence[MistuneToken]:
        """Read the forms in a line; inside a link, read only tags."""
        if not any(map(_may_hold_form, tokens)):
            return tokens
        result: list[MistuneToken] = []
        closing = ""  # of a tag whose text is not text of the document
        for token in _join_texts(tokens):
            kind = token["type"]
            if closing:
                closing = "" if token.get("raw") == closing else closing
                result.append(token)
            elif kind == "inline_html":
                closing = _closing_of_atom(token["raw"])
                result.append({**token, "raw": inline.tag_for_marklas(token["raw"])})
            elif kind == "text" and not linked:
                self._read_text(token, result)
            elif kind == "link" and not linked:
                self._read_mention_card_or_link(token, result)
            elif "children" in token and kind != "image":
                line = self._read_line(token["children"], linked=linked)
                result.append({**token, "children": line})
            else:
                result.append(token)
        return [part for token in result for part in token.get(_TEXTS_BEFORE_JOIN_KEY, (token,))]

    def _read_text(self, text: MistuneToken, result: list[MistuneToken]) -> None:
        """Add a text to the tokens before it, the last of which may belong to it."""
        words = text["raw"]
        status = (
            inline.read_status(result[-1] if result else None, words) if words[:1] == "{" else None
        )
        if status is not None:
            tokens, words = status
            result[-1:] = tokens
        read = list(inline.read_dates_and_emoji(words))
        result += [text] if status is None and len(read) == 1 else read

    def _read_mention_card_or_link(self, link: MistuneToken, result: list[MistuneToken]) -> None:
        """Add a link to the tokens before it, the last of which may belong to it."""
        mention = inline.read_mention(
            result[-1] if result else None, link, self._address_of(link["attrs"]["url"])
        )
        card = inline.read_card("".join(value.get("raw", "") for value in link["children"]))
        if mention is not None:
            result[-1:] = mention
        elif card is not None:
            result += card
        else:
            result.append({**link, "children": self._read_line(link["children"], linked=True)})


def marked_bullets_to_decisions(node: Any) -> None:
    """Turn the items that begin with ``<>`` into lists of decisions, in place.

    Args:
        node: A document whose placeholders are not restored yet.
    """
    content = content_of(node)
    for child in content:
        marked_bullets_to_decisions(child)
    if (
        content
        and node["type"] != "listItem"
        and any(
            value.get("type") == "bulletList" and any(map(_is_decision, value["content"]))
            for value in content
            if type(value) is dict
        )
    ):
        content[:] = [part for value in content for part in _with_decision_lists(value)]


def _with_decision_lists(node: Json) -> Iterator[Json]:
    """Yield a node; a bullet list is cut into lists of decisions and of other items."""
    if node.get("type") != "bulletList":
        yield node
        return
    for decided, items in groupby(node["content"], _is_decision):
        if decided:
            lines = [item["content"][0]["content"] for item in items]
            for line in lines:
                line[0]["text"] = _DECISION_MARK_PATTERN.sub("", line[0]["text"], count=1)
            attrs = {"localId": "", "state": "DECIDED"}
            decisions = [
                {"type": "decisionItem", "attrs": attrs.copy(), "content": line} for line in lines
            ]
            yield {"type": "decisionList", "attrs": {"localId": ""}, "content": decisions}
        else:
            yield {"type": "bulletList", "content": list(items)}


def _is_decision(item: Json) -> bool:
    """Return whether an item is one paragraph that begins with the mark of a decision."""
    match item:
        case {"content": [{"type": "paragraph", "content": [{"type": "text", "text": words}, *_]}]}:
            return _DECISION_MARK_PATTERN.match(words) is not None
    return False


def _html_block(tag: str) -> MistuneToken:
    return {"type": "block_html", "raw": tag}


def _may_hold_form(token: MistuneToken) -> bool:
    kind = token["type"]
    if kind == "text":
        return "{" in token["raw"] or ":" in token["raw"]
    if kind in _EMPHASIS_TOKEN_TYPES:
        return any(map(_may_hold_form, token["children"]))
    return kind not in _TOKEN_TYPES_WITHOUT_SHORT_FORM


def _closing_of_atom(tag: str) -> str:
    """Return the end tag of a node without text of its own, or of code; else nothing."""
    if tag.startswith(("<code>", "<code ")):
        return "</code>"
    match = _START_TAG_WITH_ADF_KIND.match(tag)
    return f"</{match[1]}>" if match and match[2] in _ATOM_NODES else ""


def _join_texts(tokens: Iterable[MistuneToken]) -> list[MistuneToken]:
    """Join the texts that are side by side, and keep them, since marklas may read them again."""
    result: list[MistuneToken] = []
    for is_text, group in groupby(tokens, lambda token: token["type"] == "text"):
        texts = list(group)
        if is_text and len(texts) > 1:
            words = "".join(text["raw"] for text in texts)
            texts = [{"type": "text", "raw": words, _TEXTS_BEFORE_JOIN_KEY: texts}]
        result += texts
    return result
