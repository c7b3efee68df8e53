"""Names for queries: ``@mine`` in a query stands for the query of that name. Pure."""

from __future__ import annotations

import re
from collections.abc import Mapping
from types import MappingProxyType
from typing import TYPE_CHECKING, NamedTuple

from ticketr.app.config.checks import checked_jql, nearest
from ticketr.app.config.errors import BadSetting

if TYPE_CHECKING:
    from ticketr.app.config.tomlfile import Table

#: The aliases that everybody has.
BUILT_IN_ALIASES: Mapping[str, str] = MappingProxyType(
    {
        "blocked": 'issueLinkType = "is blocked by" AND resolution = EMPTY',
        "mine": "assignee = currentUser() AND resolution = EMPTY",
        "recent": "updated >= -7d",
        "sprint": "sprint in openSprints()",
    }
)

_ALIAS_NAME_PATTERN = r"[A-Za-z][A-Za-z0-9_-]*"
#: A text in quotes, or the use of an alias. JQL itself has no @ outside of quotes.
_QUOTED_OR_ALIAS_PATTERN = re.compile(
    rf"""("(?:\\.|[^"\\])*+"|'(?:\\.|[^'\\])*+')|(?<![\w.])@({_ALIAS_NAME_PATTERN})"""
)
_ORDER_BY_PATTERN = re.compile(r"\border\s+by\b", re.IGNORECASE)
#: Characters; Jira takes no longer query.
_MAX_QUERY_CHARACTERS = 20_000


class UsedAlias(NamedTuple):
    """An alias that a query uses; its text says where it was defined and what it stands for.

    Attributes:
        name: Its name, without the ``@``.
        source: Where it was defined: ``"built in"``, ``"ticketr.toml"`` or ``"your settings"``.
        query: The query that it stands for.
    """

    name: str
    source: str
    query: str

    def __str__(self) -> str:
        where = "(built in)" if self.source == "built in" else f"of {self.source}"
        return f"alias @{self.name} {where}: {self.query}"


def is_built_in(name: str) -> bool:
    """Return whether everybody has an alias of this name, in any case of letters."""
    return name.casefold() in BUILT_IN_ALIASES


def find_direct_and_nested_aliases(query: str, aliases: Mapping[str, str]) -> tuple[str, ...]:
    """Return the names of the aliases that a query uses, and that those use, each once."""
    names: dict[str, None] = {}
    left = [query]
    while left:
        for part in _QUOTED_OR_ALIAS_PATTERN.finditer(left.pop(0)):
            name = part[2]
            if name in aliases and name not in names:
                names[name] = None
                left.append(aliases[name])
    return tuple(names)


def checked_alias_name(setting: str, name: str) -> str:
    """Return the name of an alias.

    Args:
        setting: The setting's name, for the error.
        name: The name of the alias.

    Raises:
        BadSetting: It has other characters than letters, digits, ``-`` and ``_``.
    """
    if not re.fullmatch(_ALIAS_NAME_PATTERN, name):
        raise BadSetting(setting, name, "letters, digits, '-' and '_' alone, a letter first")
    return name


def read_aliases(table: Table) -> dict[str, str]:
    """Read a table of aliases.

    Raises:
        BadFile: A value is not text.
        BadSetting: A name cannot be that of an alias, or a query is empty.
    """
    texts: dict[str, str] = {}
    for key in table.names():
        table.checked_key_itself(key, "the name of an alias", checked_alias_name)
        texts[key] = table.checked_text(key, checked_jql) or ""
    return texts


def expand_aliases(setting: str, query: str, aliases: Mapping[str, str]) -> str:
    """Replace the aliases in a query by their own queries, in parentheses.

    Args:
        setting: The setting's name, for an error.
        query: A query in JQL; ``@name`` outside of quotes is an alias.
        aliases: The queries by their names; they may hold aliases, too.

    Raises:
        BadSetting: An alias is unknown, stands for itself, or cannot be a part of a query.
    """
    used = _QUOTED_OR_ALIAS_PATTERN.fullmatch(query.strip())
    if used and used[2]:  # the whole query, which may have an order
        return _expanded(setting, _require_query(setting, used[2], aliases), aliases, (used[2],))
    return _expanded(setting, query, aliases, ())


def _expanded(setting: str, query: str, aliases: Mapping[str, str], within: tuple[str, ...]) -> str:
    def replaced(match: re.Match[str]) -> str:
        alias = match[2]
        if alias is None:
            return match[0]
        if alias in within:
            way = " > ".join(f"@{step}" for step in (*within, alias))
            raise BadSetting(setting, f"@{alias}", f"the alias stands for itself ({way})")
        inner = _require_query(setting, alias, aliases)
        if _ORDER_BY_PATTERN.search(re.sub(_QUOTED_OR_ALIAS_PATTERN, "", inner)):
            problem = f"it ends in ORDER BY ({inner}), so it cannot be a part of a query"
            raise BadSetting(setting, f"@{alias}", problem)
        return f"({_expanded(setting, inner, aliases, (*within, alias))})"

    result = _QUOTED_OR_ALIAS_PATTERN.sub(replaced, query)
    if len(result) > _MAX_QUERY_CHARACTERS:
        raise BadSetting(
            setting, query[:80], f"with its aliases it is longer than {_MAX_QUERY_CHARACTERS} signs"
        )
    return result


def _require_query(setting: str, alias: str, aliases: Mapping[str, str]) -> str:
    if alias not in aliases:
        near = nearest(alias, aliases)
        hint = f"; did you mean @{near}?" if near else ""
        raise BadSetting(
            setting, f"@{alias}", f"there is no such alias{hint} (see 'ticketr alias')"
        )
    return aliases[alias]
