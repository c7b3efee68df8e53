"""Reads YAML files that people write by hand, and says where in them something is wrong.

A file is taken apart only as far as somebody asks, and no value of it is ever made into an
object or repeated in an error: it may be somebody else's file, with secrets in it.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

import yaml
from yaml import MappingNode, MarkedYAMLError, Node, ScalarNode

from ticketr.config.errors import BadFile, place

if TYPE_CHECKING:
    from pathlib import Path

_TAG = "tag:yaml.org,2002:"
_TEXT, _NOTHING, _MERGE = f"{_TAG}str", f"{_TAG}null", f"{_TAG}merge"
_KINDS = {
    "map": "a block of names",
    "seq": "a list",
    "bool": "true or false",
    "int": "a number",
    "float": "a number",
    "null": "nothing",
}
# What the parser quotes may be a piece of a value; its own <names> and marks are none.
_QUOTED = re.compile(r""" (?:'(?!<|[-:,\]}?]')[^']*'|"[^"]*")""")


class Block:
    """One block of names in a YAML file, whose values are asked for by name and kind.

    Args:
        path: the file, for the errors.
        node: what the parser made of it; None for a block that is not there.
        name: what it is called.

    Raises:
        BadFile: a name in it is there twice, or is none.
    """

    def __init__(self, path: Path, node: MappingNode | None, name: str = "") -> None:
        self._path = path
        self._name = name
        self._values: dict[str, Node] = {}
        self._lines: dict[str, int] = {}
        for key, value in node.value if node else ():
            if not isinstance(key, ScalarNode) or key.tag == _MERGE:
                raise self._bad_at(key, "ticketr reads plain names here; write them out")
            if key.value in self._values:
                raise self._bad_at(key, f"{key.value!r} is there twice")
            self._values[key.value] = value
            self._lines[key.value] = _line(key)

    def names(self) -> tuple[str, ...]:
        """Give the names in the block, as the file has them."""
        return tuple(self._values)

    def place(self, key: str) -> str:
        """Tell where a name of this block stands."""
        return place(str(self._path), self._lines[key])

    def text(self, key: str) -> str | None:
        """Give a text; None where the block has no such name, or nothing for it.

        Raises:
            BadFile: it is something else, or empty.
        """
        if self._is_nothing(key):
            return None
        if not self.is_text(key):
            raise self.wrong(key, "a text")
        text: str = self._values[key].value.strip()
        if not text:
            raise self.bad(key, f"{self._shown(key)} is empty")
        return text

    def block(self, key: str) -> Block:
        """Give the block of that name; an empty one where there is none.

        Raises:
            BadFile: it is something else.
        """
        if self._is_nothing(key):
            return Block(self._path, None, key)
        node = self._values[key]
        if not isinstance(node, MappingNode):
            raise self.wrong(key, "a block of names")
        return Block(self._path, node, key)

    def is_text(self, key: str) -> bool:
        """Tell whether a name stands for a text."""
        node = self._values[key]
        return isinstance(node, ScalarNode) and node.tag == _TEXT

    def is_block(self, key: str) -> bool:
        """Tell whether a name stands for a block of names."""
        return isinstance(self._values[key], MappingNode)

    def bad(self, key: str, problem: str) -> BadFile:
        """Make an error about a name in this block."""
        return BadFile(str(self._path), self._lines[key], problem)

    def wrong(self, key: str, wanted: str) -> BadFile:
        """Make an error about a value of a wrong kind, without the value."""
        kind = self._values[key].tag.removeprefix(_TAG)
        found = _KINDS.get(kind, "something else")
        return self.bad(key, f"{self._shown(key)} must be {wanted}, and here is {found}")

    def _is_nothing(self, key: str) -> bool:
        return key not in self._values or self._values[key].tag == _NOTHING

    def _bad_at(self, node: Node, problem: str) -> BadFile:
        return BadFile(str(self._path), _line(node), problem)

    def _shown(self, key: str) -> str:
        return f"{key!r} in {self._name}" if self._name else key


def read_block(path: Path, text: str) -> Block:
    """Parse a file's text.

    Raises:
        BadFile: it is no YAML, or no block of names.
    """
    try:
        node = yaml.compose(text, Loader=yaml.SafeLoader)
    except yaml.MarkedYAMLError as error:
        raise _no_yaml(path, text, error) from None
    except yaml.reader.ReaderError as error:
        line = text.count("\n", 0, error.position) + 1
        raise BadFile(str(path), line, "this is no YAML (a character that none has)") from None
    except RecursionError:
        raise BadFile(str(path), None, "no such file is written by hand") from None
    if node is None or node.tag == _NOTHING:
        return Block(path, None)
    if not isinstance(node, yaml.MappingNode):
        raise BadFile(str(path), _line(node), "the file must be a block of names")
    return Block(path, node)


def _no_yaml(path: Path, text: str, error: MarkedYAMLError) -> BadFile:
    """Say what the parser found, without the pieces of the file that it shows."""
    mark = error.problem_mark
    if mark is None:
        return BadFile(str(path), None, "this is no YAML")
    said = [error.context] if (error.context or "").startswith("expected") else []
    words = _QUOTED.sub("", ", ".join(filter(None, [*said, error.problem])))
    if text[mark.index : mark.index + 1] == "\t":
        words = "a tab; indent by spaces"
    return BadFile(str(path), mark.line + 1, f"this is no YAML ({words})")


def _line(node: Node) -> int:
    line: int = node.start_mark.line
    return line + 1
