"""Reads the plain text of a document that cannot be converted.

Conversion takes time in proportion to the text, up to some hundred milliseconds for the longest
that Jira takes. Converting a longer one is of no use, since Jira refuses it.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from types import MappingProxyType

from ticketr._lazy import compile_on_use
from ticketr.app.jira.adf._addresses import has_mark
from ticketr.app.jira.adf._canonical import Json, content_of
from ticketr.app.jira.errors import clean_line

#: No file is attached.
NO_FILES: Mapping[str, str] = MappingProxyType({})

_CAMEL_CASE_BOUNDARY = compile_on_use(r"(?<=[a-z])(?=[A-Z])")
_INLINE_NODES = (
    "text",
    "mention",
    "emoji",
    "date",
    "status",
    "inlineCard",
)  # a tuple: a type may be unhashable
#: The attributes with the text of a node, the best one first.
_SHOWN_ATTRS = ("text", "shortName", "url", "alt", "title", "timestamp", "id")


def walk(document: object) -> Iterator[Json]:
    """Yield the nodes of a document in their order, however deep it is."""
    waiting = [document]
    while waiting:
        node = waiting.pop()
        if isinstance(node, dict):
            yield node
            waiting += reversed(content_of(node))


def find_strings(value: object) -> Iterator[str]:
    """Yield every text in a JSON value."""
    waiting = [value]
    while waiting:
        one = waiting.pop()
        if isinstance(one, str):
            yield one
        elif isinstance(one, dict):
            waiting += one.values()
        elif isinstance(one, list):
            waiting += one


def plain_lines(node: object) -> list[str]:
    """Return the words of a node, a line for each block that has some."""
    lines: list[list[str]] = [[]]
    for part in walk(node):
        if part.get("type") not in _INLINE_NODES:
            lines.append([])
        lines[-1].append(_own_shown_text(part))
    return [line for line in map(str.strip, map("".join, lines)) if line]


def _own_shown_text(node: Json) -> str:
    text = node.get("text")
    if type(text) is str:
        return text
    attrs = node.get("attrs")
    if type(attrs) is not dict:
        return ""
    return next((attrs[key] for key in _SHOWN_ATTRS if type(attrs.get(key)) is str), "")


def block_texts_without_code(document: Json) -> Iterator[str]:
    """Yield the text of each block without what is in code, in the order of the document."""
    for node in walk(document):
        words = [_own_text_outside_code(child) for child in content_of(node) if type(child) is dict]
        if any(words) and node.get("type") != "codeBlock":
            yield "".join(words)


def _own_text_outside_code(node: Json) -> str:
    text = node.get("text") if node.get("type") == "text" else None
    if type(text) is not str:
        return "\n" if node.get("type") == "hardBreak" else ""
    return "" if has_mark(node, "code") else text


def kind_with_article(kind: str) -> str:
    """Return the name of a kind in plain words, with its article."""
    words = kind_words(kind)
    return f"an {words}" if words[:1] in "aeiou" else f"a {words}"


def kind_words(kind: str) -> str:
    """Return the name of a kind in plain words: `listItem` is a list item."""
    return clean_line(_CAMEL_CASE_BOUNDARY.sub(" ", kind).lower(), 40)


#: The characters that Jira takes in a description.
MAX_JIRA_CHARACTERS = 32_767
#: The characters of Markdown that can say as much: tables, links and tags take more than they show.
#:
#: It is also how many nodes and other characters a document may have beside its text.
MAX_JIRA_MARKDOWN_CHARACTERS = 4 * MAX_JIRA_CHARACTERS

# What does not, or may not, reach the document as text: a tag, the address of a link, an entity,
# white space, and every mark. The rest is the least that Jira would count.
_UNCOUNTED_MARKDOWN = compile_on_use(
    r"<[^<>]*>|\]\([^()]*\)|&#?\w{1,32};|[\s!#$%&()*+.:=>\[\]\\^_`|~<-]"
)
#: The characters that take as long to convert as a node.
_NODE_COST_IN_CHARACTERS = 3


def is_surely_too_long(*markdown: str) -> bool:
    """Return whether Markdown is certainly too long for Jira, without converting it.

    Args:
        markdown: The Markdown; several texts count as one document.

    Returns:
        Whether it is certain. If not, the document may still be longer than `MAX_JIRA_CHARACTERS`.
    """
    size = sum(map(len, markdown))
    if size <= MAX_JIRA_CHARACTERS:
        return False
    if size > MAX_JIRA_MARKDOWN_CHARACTERS:
        return True
    return sum(len(_UNCOUNTED_MARKDOWN.sub("", text)) for text in markdown) > MAX_JIRA_CHARACTERS


def is_too_large_for_jira(document: object) -> bool:
    """Return whether a document is larger than Jira takes."""
    text = rest = 0
    waiting = [document]
    while waiting:
        node = waiting.pop()
        rest += 1
        if type(node) is dict:
            for key, value in node.items():
                if type(value) is list:
                    rest += 1
                    waiting += value
                elif type(value) is not str:
                    waiting.append(value)
                elif key == "text":
                    text += len(value)
                else:
                    rest += len(value)
        elif type(node) is list:
            waiting += node
        elif type(node) is str:
            rest += len(node)
        if text > MAX_JIRA_CHARACTERS or rest > MAX_JIRA_MARKDOWN_CHARACTERS:
            return True
    return False


def marklas_cost(document: object, most: int) -> int:
    """Estimate the work of converting a document.

    Args:
        document: Anything that JSON can hold.
        most: Where to stop counting.

    Returns:
        A node counts as three characters, since it takes as long; a little more than ``most`` if
        there is more than that.
    """
    size = 0
    waiting = [document]
    while waiting and size <= most:
        node = waiting.pop()
        size += len(node) if type(node) is str else _NODE_COST_IN_CHARACTERS
        if type(node) is dict:
            waiting += node.values()
        elif type(node) is list:
            waiting += node[: most // _NODE_COST_IN_CHARACTERS + 1]
    return size
