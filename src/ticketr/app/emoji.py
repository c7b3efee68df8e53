"""The emoji that Jira knows by name.

``emoji.txt`` has Atlassian's own table, a line for each: the name, the ID, and ``fe0f`` where that
sign is in the character and not in the ID. The ID is the code points of the character, or begins
with ``atlassian-`` where there is no character. The names and IDs are those of the package
@atlaskit/util-data-test 19.1.8 (Apache License 2.0).
"""

from __future__ import annotations

from collections.abc import Mapping
from functools import cache, lru_cache
from pathlib import Path

_ATLASSIAN_PREFIX = "atlassian-"
#: Names that people write for some of them elsewhere.
_NAME_BY_ALIAS = {
    "+1": "thumbsup",
    "-1": "thumbsdown",
    "slightly_smiling_face": "slight_smile",
    "thinking_face": "thinking",
}


@lru_cache(maxsize=1024)
def emoji_named(name: str) -> Mapping[str, str] | None:
    """Return the attributes of an emoji in a document, by its name without colons."""
    name = _NAME_BY_ALIAS.get(name, name)
    start = _read_table().find(f"\n{name} ") + 1
    if not start or not name.isprintable():
        return None
    line = _read_table()[start : _read_table().index("\n", start)]
    known, identity, *codes_after_first = line.split()
    if known != name:
        return None
    text = _emoji_characters_or_name(name, identity, codes_after_first)
    return {"shortName": f":{name}:", "id": identity, "text": text}


@cache
def _read_table() -> str:
    return "\n" + Path(__file__).with_name("emoji.txt").read_text(encoding="utf-8")


def _emoji_characters_or_name(name: str, identity: str, codes_after_first: list[str]) -> str:
    if identity.startswith(_ATLASSIAN_PREFIX):
        return f":{name}:"
    codes = identity.split("-")
    return "".join(chr(int(code, 16)) for code in (codes[0], *codes_after_first, *codes[1:]))
