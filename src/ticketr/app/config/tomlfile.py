"""Reads TOML files that people write, with the line of each error."""

from __future__ import annotations

import os
import re
import stat
import tomllib
from collections.abc import Callable, Iterable, Mapping
from pathlib import Path
from typing import Any, TypeVar

from ticketr.app.config.checks import nearest
from ticketr.app.config.errors import (
    BadFile,
    BadSetting,
    UnknownKey,
    convert_os_errors,
    format_place,
)

T = TypeVar("T")

#: Bytes; a larger file was not written by a person.
MAX_FILE_BYTES = 64 * 1024
#: Lines times characters; an error in a longer file names no line, since the search parses the
#: file up to each line.
_MAX_LINE_SEARCH_COST = 1_000_000
# A name of more parts was not written by a person, and the parser takes the square of their number.
_LONG_DOTTED_KEY_PATTERN = re.compile(
    r"""(?<![\w-])(?:(?:[\w-]++|"[^"\n]*+"|'[^'\n]*+')[ \t]*+\.[ \t]*+){32}"""
)

_PLACE_IN_MESSAGE_PATTERN = re.compile(r" \(at (?:line (\d+), column \d+|end of document)\)$")
_VALUE_TYPE_NAMES = {
    str: "text in quotes",
    dict: "a table",
    list: "a list",
    bool: "true or false",
    int: "a number",
    float: "a number",
}


def read_text(
    path: Path,
    *,
    check: Callable[[os.stat_result], None] | None = None,
    max_bytes: int = MAX_FILE_BYTES,
) -> str | None:
    """Read a file of settings.

    Args:
        path: The file.
        check: Called with the status of the opened file, before it is read.
        max_bytes: How many bytes it may have.

    Returns:
        Its text, or None where there is no such file.

    Raises:
        BadFile: It is not an ordinary file, too large or no text.
        SettingsAccessFailed: The system refused to read it.
    """
    with convert_os_errors(path, "read"):
        try:
            # Checked first, since opening a device can have effects. The path may lead to another
            # file by the time it is opened, so opening must not block, as it would for a named pipe.
            _require_ordinary_file(path, path.stat())
            file = open(path, "rb", opener=lambda path, flags: os.open(path, flags | os.O_NONBLOCK))  # noqa: SIM115 - closed below
        except FileNotFoundError:
            return None
        with file:
            status = os.fstat(file.fileno())
            _require_ordinary_file(path, status)
            if check is not None:
                check(status)
            content = file.read(max_bytes + 1)
    if len(content) > max_bytes:
        raise BadFile(str(path), None, f"it is larger than {max_bytes // 1024} KiB")
    try:
        return content.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        line = content.count(b"\n", 0, error.start) + 1
        raise BadFile(str(path), line, "this is not UTF-8 text") from None


def _require_ordinary_file(path: Path, status: os.stat_result) -> None:
    if not stat.S_ISREG(status.st_mode):
        raise BadFile(str(path), None, "this is not an ordinary file")


def read_table(path: Path, text: str) -> Table:
    """Parse a file's text.

    Raises:
        BadFile: It is not TOML. The parser's message names keys at most, never values.
    """
    if dotted := _LONG_DOTTED_KEY_PATTERN.search(text):
        line = text.count("\n", 0, dotted.start()) + 1
        raise BadFile(str(path), line, "a name has too many parts between dots")
    try:
        return Table(path, text, tomllib.loads(text))
    except tomllib.TOMLDecodeError as error:
        words = str(error)
        match = _PLACE_IN_MESSAGE_PATTERN.search(words)
        line = int(match[1]) if match and match[1] else text.count("\n") + 1
        problem = words[: match.start()] if match else words
        raise BadFile(str(path), line, f"this is not TOML ({problem})") from None
    except (RecursionError, ValueError):  # the latter for a number of thousands of digits
        raise BadFile(str(path), None, "no such file is written by hand") from None


class Table:
    """One table of a TOML file, whose values are read by name and kind."""

    def __init__(
        self, path: Path, text: str, values: Mapping[str, object], keys: tuple[str, ...] = ()
    ) -> None:
        self._path = path
        self._text = text
        self._values = values
        self._keys = keys

    def __contains__(self, key: str) -> bool:
        return key in self._values

    def names(self) -> tuple[str, ...]:
        """Return the names in the table, as the file has them."""
        return tuple(self._values)

    def line(self, key: str) -> int | None:
        """Find the line of a name in this table."""
        return line_of(self._text, (*self._keys, key))

    def refuse_unknown(self, known: Iterable[str]) -> None:
        """Check that every name is known.

        Raises:
            UnknownKey: One is not.
        """
        known = tuple(known)
        for key in self._values:
            if key not in known:
                near = nearest(key, known)
                hint = f", did you mean {near!r}?" if near else ""
                problem = f"unknown key {key!r}{hint}"
                raise UnknownKey(str(self._path), self.line(key), problem)

    def text(self, key: str) -> str | None:
        """Return a text; None where the table has no such name.

        Raises:
            BadFile: It is something else.
        """
        return self._get(key, str, "text in quotes")

    def checked_text(self, key: str, check: Callable[[str, str], T]) -> T | None:
        """Return a text that has passed a check; None where the table has no such name.

        Raises:
            BadFile: It is something else.
            BadSetting: The check refused it; the name is that of the place.
        """
        value = self.text(key)
        if value is None:
            return None
        try:
            return check(key, value)
        except BadSetting as error:
            where = f"{format_place(str(self._path), self.line(key))}: {key}"
            raise BadSetting(where, error.value, error.problem) from None

    def checked_key_itself(self, key: str, what: str, check: Callable[[str, str], str]) -> str:
        """Return what a check makes of a name in the table.

        Raises:
            BadFile: The check refused it.
        """
        try:
            return check(what, key)
        except BadSetting as error:
            raise self.make_error(key, str(error)) from None

    def texts(self, key: str) -> tuple[str, ...]:
        """Return a list of texts; an empty one where the table has no such name.

        Raises:
            BadFile: It is something else, or one of them is empty.
        """
        expected = 'a list of texts, like ["one", "two"]'
        value = self._get(key, list, expected) or []
        texts = tuple(text for text in value if isinstance(text, str) and text.strip())
        if len(texts) != len(value):
            odd = next(entry for entry in value if not isinstance(entry, str) or not entry.strip())
            raise self._make_value_error(key, odd, expected)
        return texts

    def flag(self, key: str) -> bool | None:
        """Return ``true`` or ``false``; None where the table has no such name.

        Raises:
            BadFile: It is something else.
        """
        return self._get(key, bool, "true or false")

    def number(self, key: str) -> float | None:
        """Return a number; None where the table has no such name.

        Raises:
            BadFile: It is something else.
        """
        return self._get(key, (int, float), "a number")

    def is_list(self, key: str) -> bool:
        """Return whether a name stands for a list."""
        return isinstance(self._values.get(key), list)

    def is_table(self, key: str) -> bool:
        """Return whether a name stands for a table."""
        return isinstance(self._values.get(key), dict)

    def table(self, key: str) -> Table:
        """Return the table of that name; an empty one where there is none.

        Raises:
            BadFile: It is something else.
        """
        value = self._get(key, dict, "a table") or {}
        return Table(self._path, self._text, value, (*self._keys, key))

    def _get(self, key: str, kind: type[T] | tuple[type[T], ...], expected: str) -> T | None:
        """Return a value of a kind; None where the table has no such name."""
        value = self._values.get(key)
        is_flag = isinstance(value, bool)  # which is an int, too
        if value is None or (isinstance(value, kind) and is_flag == (kind is bool)):
            return value
        raise self._make_value_error(key, value, expected)

    def make_error(self, key: str, problem: str) -> BadFile:
        """Make an error about a name in this table."""
        return BadFile(str(self._path), self.line(key), problem)

    def _make_value_error(self, key: str, value: object, expected: str) -> BadFile:
        # The value itself is not repeated: in a file of secrets it may be one.
        empty = isinstance(value, str) and not value.strip()
        text = "an empty text" if empty else _VALUE_TYPE_NAMES.get(type(value), "a date or time")
        return self.make_error(key, f"{key} must be {expected}, and here is {text}")


def edited_toml(path: Path, text: str, change: Callable[[dict[str, Any]], None]) -> str:
    """Change the values in a file's text; comments and order stay.

    Args:
        path: The file, for the error.
        text: Its text.
        change: Changes the document, by what a dict can do.

    Returns:
        The new text, which says exactly what was wanted.

    Raises:
        BadFile: It is written in a way that cannot be changed in place.
    """
    # Loaded when something is edited: reading does without it.
    import tomlkit  # noqa: PLC0415 - see above

    expected = tomllib.loads(text)
    change(expected)
    try:
        document = tomlkit.parse(text)
        change(document)
        new = tomlkit.dumps(document)
        if tomllib.loads(new) == expected:
            return new
    except (tomlkit.exceptions.TOMLKitError, ValueError):
        pass  # its words may repeat a value
    problem = "ticketr cannot change a file that is written like this; write it with [tables]"
    raise BadFile(str(path), None, problem)


def delete_entry(document: dict[str, Any], table: str, name: str) -> None:
    """Delete an entry of a table, and the table if nothing is left in it."""
    del document[table][name]
    if not document[table]:
        del document[table]


def line_of(text: str, keys: tuple[str, ...]) -> int | None:
    """Find the line on which a name of a TOML file is.

    The parser does not return lines, so it parses ever more of the file's lines: the shortest
    beginning of the file that holds the name ends with that line.

    Args:
        text: A file's text, that can be read as a whole.
        keys: The names that lead there from the outermost table.

    Returns:
        The line, counted from 1, or None in a file that is too long to look.
    """
    lines = [f"{line}\n" for line in text.split("\n")]
    if not keys or len(lines) * len(text) > _MAX_LINE_SEARCH_COST:
        return None
    readable = 0
    for count in range(1, len(lines) + 1):
        try:
            values = tomllib.loads("".join(lines[:count]))
        except ValueError:
            continue  # in the middle of a value that takes several lines
        if _has_nested_keys(values, keys):
            return readable + 1
        readable = count
    return None


def _has_nested_keys(values: object, keys: tuple[str, ...]) -> bool:
    """Return whether nested tables have a value under these names."""
    for key in keys:
        if not isinstance(values, dict) or key not in values:
            return False
        values = values[key]
    return True
