"""The placeholder characters of the short forms.

`_placeholders` describes what placeholders are. While a document is written, those of `RAW` stand
for signs that marklas would escape. While Markdown is read, those of `ESCAPED` stand for signs
with a backslash before them, which begin no short form.
"""

from __future__ import annotations

from ticketr.app.jira.adf._addresses import BACKSLASH, EMPHASIS

_OPEN, _CLOSE, _LESS, _TICK = "\ufddc", "\ufddd", "\ufdde", "\ufddf"
#: Is removed in the end. Before a tag it makes a paragraph of what would be a block of HTML.
STAY = "\ufdd3"
#: Stands for the blocks in a block that marklas writes.
SLOT = "\ufde0"
#: Stands before the ``>`` of an address in angle brackets.
AUTO = "\ufde6"
#: Stands for the ``[`` of a definition that no link uses, which is text.
UNUSED = "\ufde9"
#: The last placeholder of all.
LAST_PLACEHOLDER = UNUSED

#: The placeholders of the characters that marklas would escape.
RAW = {
    **EMPHASIS,
    ord("["): _OPEN,
    ord("]"): _CLOSE,
    ord("<"): _LESS,
    ord("`"): _TICK,
    ord("\\"): BACKSLASH,
}
#: The characters that the placeholders of this module stand for; `EMPHASIS` has its own table.
OF_RAW = {_OPEN: "[", _CLOSE: "]", _LESS: "<", _TICK: "`"}
#: The placeholders of characters that follow a backslash.
ESCAPED = {"{": "\ufde2", ":": "\ufde3", "@": "\ufde4", "[": "\ufde5", "%": "\ufde7"}
#: The characters that the placeholders of `ESCAPED` stand for.
OF_ESCAPED = {placeholder: sign for sign, placeholder in ESCAPED.items()}


def verbatim(text: str) -> str:
    """Return a text that marklas writes unchanged."""
    return text.translate(RAW)
