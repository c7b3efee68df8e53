"""The placeholder characters of the short forms.

`_placeholders` describes what placeholders are. While a document is written, those of `PLACEHOLDER_BY_MARKUP_CHARACTER` stand
for signs that marklas would escape. While Markdown is read, those of `PLACEHOLDER_BY_ESCAPED_CHARACTER` stand for signs
with a backslash before them, which begin no short form.
"""

from __future__ import annotations

from ticketr.app.jira.adf._addresses import ESCAPE_SIGN_PLACEHOLDER, PLACEHOLDER_BY_EMPHASIS_SIGN

_OPEN, _CLOSE, _LESS, _TICK = "\ufddc", "\ufddd", "\ufdde", "\ufddf"
#: Is removed in the end. Before a tag it makes a paragraph of what would be a block of HTML.
REMOVED_PLACEHOLDER = "\ufdd3"
#: Stands for the blocks within a block that marklas writes.
INNER_BLOCKS_PLACEHOLDER = "\ufde0"
#: Stands before the ``>`` of an address in angle brackets.
BEFORE_AUTOLINK_END_PLACEHOLDER = "\ufde6"
#: Stands for the ``[`` of a definition that no link uses, which is text.
UNUSED_DEFINITION_START_PLACEHOLDER = "\ufde9"
#: The last placeholder of all.
LAST_PLACEHOLDER = UNUSED_DEFINITION_START_PLACEHOLDER

#: The placeholders of the characters that marklas would escape.
PLACEHOLDER_BY_MARKUP_CHARACTER = {
    **PLACEHOLDER_BY_EMPHASIS_SIGN,
    ord("["): _OPEN,
    ord("]"): _CLOSE,
    ord("<"): _LESS,
    ord("`"): _TICK,
    ord("\\"): ESCAPE_SIGN_PLACEHOLDER,
}
#: The characters that the placeholders of this module stand for; `PLACEHOLDER_BY_EMPHASIS_SIGN` has its own table.
CHARACTER_BY_MARKUP_PLACEHOLDER = {_OPEN: "[", _CLOSE: "]", _LESS: "<", _TICK: "`"}
#: The placeholders of characters that follow a backslash.
PLACEHOLDER_BY_ESCAPED_CHARACTER = {
    "{": "\ufde2",
    ":": "\ufde3",
    "@": "\ufde4",
    "[": "\ufde5",
    "%": "\ufde7",
}
#: The characters that the placeholders of `PLACEHOLDER_BY_ESCAPED_CHARACTER` stand for.
CHARACTER_BY_ESCAPED_PLACEHOLDER = {
    placeholder: sign for sign, placeholder in PLACEHOLDER_BY_ESCAPED_CHARACTER.items()
}


def protect_signs(text: str) -> str:
    """Return a text that marklas writes unchanged."""
    return text.translate(PLACEHOLDER_BY_MARKUP_CHARACTER)
