"""Mentions by a name or an e-mail address, which Jira's search of users has to find."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from ticketr.app.jira.adf._tables import blank_code

_NAMED = re.compile(
    r"""\\.
    |<\w+[ ][^<>\n]*\badf=[^<>\n]*>[^<\n]*
    |(?<![\w@/.+-])@(?:
        \[(?P<name>[^\[\]\\\n@][^\[\]\\\n]{0,99}|[^\[\]\\\s@]{1,60}@[^\[\]\\\s@]{1,60})\](?![(\[:])
        |(?P<mail>\w[\w.+-]{0,63}@[\w-]{1,63}(?:\.[\w-]{1,63}){1,5})
    )""",
    re.VERBOSE,
)
_SPECIAL = re.compile(r"[\\\[\]*_`~<]")


@dataclass(frozen=True, slots=True)
class NamedPerson:
    """A person who is mentioned without an account ID.

    Attributes:
        text: The whole mention.
        name: The name or the e-mail address.
        line: The line that it is in, from 1 on.
    """

    text: str
    name: str
    line: int


def named_people(markdown: str) -> tuple[NamedPerson, ...]:
    """Return the mentions ``@[Name]`` and ``@mail`` in a text, in their order.

    Args:
        markdown: Any Markdown; what is in code or behind a backslash is not a mention.
    """
    if "@" not in markdown:
        return ()
    lines = enumerate(blank_code(markdown).split("\n"), start=1)
    return tuple(
        NamedPerson(texts["at"], texts["name"], number)
        for number, line in lines
        for texts in map(_named_person_parts, _mentions(line))
    )


def with_people(markdown: str, people: Mapping[str, tuple[str, str]]) -> str:
    """Return a text in which mentions hold the account IDs.

    Args:
        markdown: The text.
        people: The account ID and the name of each person who is found, by the name in the text.
    """
    if not people or "@" not in markdown:
        return markdown
    lines = markdown.split("\n")
    for at, blanked in enumerate(blank_code(markdown).split("\n")):
        lines[at] = "".join(_replaced(lines[at], blanked, people))
    return "\n".join(lines)


def _replaced(line: str, blanked: str, people: Mapping[str, tuple[str, str]]) -> Iterator[str]:
    """Yield the parts of a line; each mention of a person who was found is a link."""
    end = 0
    for mention in _mentions(blanked):
        person = people.get(_named_person_parts(mention)["name"])
        if person is not None:
            account, name = person
            yield line[end : mention.start()]
            yield f"@[{_SPECIAL.sub(_escaped, name)}]({account})"
            end = mention.end()
    yield line[end:]


def _escaped(sign: re.Match[str]) -> str:
    return f"\\{sign[0]}"


def _mentions(line: str) -> Iterator[re.Match[str]]:
    return (match for match in _NAMED.finditer(line) if match["name"] or match["mail"])


def _named_person_parts(match: re.Match[str]) -> dict[str, str]:
    return {"at": match[0], "name": (match["name"] or match["mail"]).strip()}
