"""The largest text that is converted.

Conversion takes time in proportion to the text, up to some hundred milliseconds for the longest
that Jira takes. Converting a longer one is of no use, since Jira refuses it.
"""

from __future__ import annotations

import re

#: The characters that Jira takes in a description.
LONGEST_TEXT = 32_767
#: The characters of Markdown that can say as much: tables, links and tags take more than they show.
#:
#: It is also how many nodes and other characters a document may have beside its text.
LONGEST_MARKDOWN = 4 * LONGEST_TEXT

# What does not reach the document as text, or not for sure: a tag, the address of a link, a
# character by its name, white space, and every mark. What is left is the least that Jira would count.
_NO_TEXT = re.compile(r"<[^<>]*>|\]\([^()]*\)|&#?\w{1,32};|[\s!#$%&()*+.:=>\[\]\\^_`|~<-]")
_TEXT = "text"
_NODE = 3


def is_too_long(*markdown: str) -> bool:
    """Return whether Markdown is certainly too long for Jira, without converting it.

    Args:
        markdown: The Markdown; if there are several texts, they will be one document.

    Returns:
        Whether it is certain. If not, the document may still be longer than `LONGEST_TEXT`.
    """
    size = sum(map(len, markdown))
    if size <= LONGEST_TEXT:
        return False
    if size > LONGEST_MARKDOWN:
        return True
    return sum(len(_NO_TEXT.sub("", each)) for each in markdown) > LONGEST_TEXT


def is_too_large(document: object) -> bool:
    """Return whether a document is larger than Jira takes."""
    text = rest = 0
    ahead = [document]
    while ahead:
        node = ahead.pop()
        rest += 1
        if type(node) is dict:
            for key, value in node.items():
                if type(value) is not str:
                    ahead.append(value)
                elif key == _TEXT:
                    text += len(value)
                else:
                    rest += len(value)
        elif type(node) is list:
            ahead += node
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
    found = 0
    ahead = [document]
    while ahead and found <= most:
        node = ahead.pop()
        found += len(node) if type(node) is str else _NODE
        if type(node) is dict:
            ahead += node.values()
        elif type(node) is list:
            ahead += node[: most // _NODE + 1]
    return found
