"""Reads YAML files that people write, with the line of each error.

The parser's tree of nodes is read only as far as it is asked for. No value is made into an object
or repeated in an error: the file may be another program's, with secrets in it.
"""

from __future__ import annotations

from pathlib import Path
from typing import TypeVar

import yaml
from yaml import MappingNode, Node, ScalarNode, SequenceNode

from ticketr.app.config.errors import BadFile

NodeT = TypeVar("NodeT", bound=Node)

_TAG_PREFIX = "tag:yaml.org,2002:"


class YamlMapping:
    """One block of names in a YAML file.

    Args:
        path: The file, for the errors.
        node: The parser's node; None for a block that is not there.
        name: The name of the block.

    Raises:
        BadFile: A name in it is there twice, or is not a plain name.
    """

    def __init__(self, path: Path, node: MappingNode | None = None, name: str = "") -> None:
        self._path = path
        self._name = name
        self._values: dict[str, tuple[int, Node]] = {}
        for key, value in node.value if node else ():
            line = key.start_mark.line + 1
            if not isinstance(key, ScalarNode) or key.tag == f"{_TAG_PREFIX}merge":
                raise BadFile(str(path), line, "ticketr reads plain names here; write them out")
            if key.value in self._values:
                raise BadFile(str(path), line, f"{key.value!r} is there twice")
            self._values[key.value] = line, value

    def names(self) -> tuple[str, ...]:
        """Return the names in the block, in the file's order."""
        return tuple(self._values)

    def _node_of(self, key: str, kind: type[NodeT], expected: str) -> NodeT | None:
        """Return the node of a value; None where the block has no such name, or no value for it.

        Raises:
            BadFile: It is of another kind.
        """
        _, node = self._values.get(key, (0, None))
        if node is None or node.tag == f"{_TAG_PREFIX}null":
            return None
        if not isinstance(node, kind):
            raise self.make_error(key, f"{self._key_with_mapping_name(key)} must be {expected}")
        return node

    def text(self, key: str) -> str | None:
        """Return a value as it stands in the file; None if it is missing or empty.

        A number comes back as text, too.

        Raises:
            BadFile: It is a list or a block.
        """
        node = self._node_of(key, ScalarNode, "a text")
        return node.value.strip() or None if node else None

    def mapping(self, key: str) -> YamlMapping:
        """Return the block of that name; an empty one where there is none.

        Raises:
            BadFile: It is something else.
        """
        return YamlMapping(self._path, self._node_of(key, MappingNode, "a block of names"), key)

    def is_mapping(self, key: str) -> bool:
        """Return whether a name stands for a block."""
        return isinstance(self._values[key][1], MappingNode)

    def mappings(self, key: str) -> list[YamlMapping]:
        """Return the blocks in a list; none where there is no such name.

        Raises:
            BadFile: It is no list, or holds something else.
        """
        nodes = self._get_list(key, MappingNode, "a list of blocks of names")
        return [YamlMapping(self._path, node, key) for node in nodes]

    def texts(self, key: str) -> list[str]:
        """Return the texts in a list; see `mappings`."""
        return [node.value.strip() for node in self._get_list(key, ScalarNode, "a list of texts")]

    def _get_list(self, key: str, kind: type[NodeT], expected: str) -> list[NodeT]:
        node = self._node_of(key, SequenceNode, expected)
        members = node.value if node else []
        nodes = [member for member in members if isinstance(member, kind)]
        if len(nodes) < len(members):
            raise self.make_error(key, f"{self._key_with_mapping_name(key)} must be {expected}")
        return nodes

    def make_error(self, key: str, problem: str) -> BadFile:
        """Make an error about a name in this block, without its value."""
        return BadFile(str(self._path), self._values[key][0], problem)

    def _key_with_mapping_name(self, key: str) -> str:
        return f"{key!r} in {self._name}" if self._name else key


def parse_yaml(path: Path, text: str) -> YamlMapping:
    """Parse a file's text.

    Raises:
        BadFile: It is not YAML, or no block of names. The parser's own words are left out, since
            they quote the file.
    """
    try:
        node = yaml.compose(text, Loader=yaml.SafeLoader)
    except yaml.MarkedYAMLError as error:
        mark = error.problem_mark
        is_tab = mark is not None and text[mark.index : mark.index + 1] == "\t"
        problem = "a tab; indent by spaces" if is_tab else "look at the indents, colons and quotes"
        line = None if mark is None else mark.line + 1
        raise BadFile(str(path), line, f"this is not YAML ({problem})") from None
    except yaml.reader.ReaderError as error:
        line = text.count("\n", 0, error.position) + 1
        raise BadFile(str(path), line, "this is not YAML (a character that none has)") from None
    except RecursionError:
        raise BadFile(str(path), None, "no such file is written by hand") from None
    if node is None or node.tag == f"{_TAG_PREFIX}null":
        return YamlMapping(path)
    if not isinstance(node, MappingNode):
        line = node.start_mark.line + 1
        raise BadFile(str(path), line, "the file must be a block of names")
    return YamlMapping(path, node)
