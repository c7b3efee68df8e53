"""The largest text that is converted.

Conversion takes time in proportion to the text, up to some hundred milliseconds for the longest
that Jira takes. Converting a longer one is of no use, since Jira refuses it.
"""

from __future__ import annotations

from ticketr._lazy import compile_on_use

#: The characters that Jira takes in a description.
LONGEST_TEXT = 32_767
#: The characters of Markdown that can say as much: tables, links and tags take more than they show.
#:
#: It is also how many nodes and other characters a document may have beside its text.
LONGEST_MARKDOWN = 4 * LONGEST_TEXT

# What does not, or may not, reach the document as text: a tag, the address of a link, an entity,
# white space, and every mark. The rest is the least that Jira would count.
_NO_TEXT = compile_on_use(r"<[^<>]*>|\]\([^()]*\)|&#?\w{1,32};|[\s!#$%&()*+.:=>\[\]\\^_`|~<-]")
_TEXT_KEY = "text"
#: The characters that take as long to convert as a node.
_NODE_CHARACTERS = 3


def is_too_long(*markdown: str) -> bool:
    """Return whether Markdown is certainly too long for Jira, without converting it.

    Args:
        markdown: The Markdown; several texts count as one document.

    Returns:
        Whether it is certain. If not, the document may still be longer than `LONGEST_TEXT`.
    """
    size = sum(map(len, markdown))
    if size <= LONGEST_TEXT:
        return False
    if size > LONGEST_MARKDOWN:
        return True
    return sum(len(_NO_TEXT.sub("", text)) for text in markdown) > LONGEST_TEXT


def is_too_large(document: object) -> bool:
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
                elif key == _TEXT_KEY:
                    text += len(value)
                else:
                    rest += len(value)
        elif type(node) is list:
            waiting += node
        elif type(node) is str:
            rest += len(node)
        if text > LONGEST_TEXT or rest > LONGEST_MARKDOWN:
            return True
    return False


def weight(document: object, most: int) -> int:
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
        size += len(node) if type(node) is str else _NODE_CHARACTERS
        if type(node) is dict:
            waiting += node.values()
        elif type(node) is list:
            waiting += node[: most // _NODE_CHARACTERS + 1]
    return size
