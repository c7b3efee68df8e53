"""Finds the people whom a text mentions by their names, in what Jira's search returned. Pure."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence

from ticketr.app.config.names import folded
from ticketr.app.jira import User, adf
from ticketr.app.sync.push.values import BadValue, shown

#: How many people an error message names.
_MOST_NAMED = 5


def with_mentions(
    text: str, users: Mapping[str, Sequence[User]], place: Callable[[int], str]
) -> str:
    """Return a text with account IDs in its mentions by name; leave the names that no account has.

    Args:
        text: The Markdown.
        users: What the search returned for each name.
        place: Returns the file and the line of a line, as the beginning of a message.

    Raises:
        BadValue: A name is that of several people.
    """
    people: dict[str, tuple[str, str]] = {}
    for person in adf.named_people(text):
        user = _person(person.name, users.get(person.name, ()), place(person.line))
        if user is not None:
            people[person.name] = (user.account_id, user.display_name)
    return adf.with_people(text, people)


def unknown_people(
    text: str, before: str, users: Mapping[str, Sequence[User]]
) -> Iterator[tuple[int, str]]:
    """Yield the line of each new mention for which no account was found, and a warning."""
    for person in adf.named_people(text):
        if not users.get(person.name, (None,)) and person.text not in before:
            yield (
                person.line,
                (
                    f"“{person.text}” goes to Jira as text, for its search finds nobody of that name; "
                    "a mention is @[Name](account ID), @[Name] or @ and an e-mail address"
                ),
            )


def _person(name: str, users: Sequence[User], where: str) -> User | None:
    """Return the person with a name, or else the only one whose name begins so."""
    wanted = folded(name)
    exact = [
        user
        for user in users
        if wanted in map(folded, (user.display_name, user.email, user.account_id))
    ]
    fitting = exact or list(users)
    if len(fitting) > 1:
        several = " or ".join(
            f"@[{user.display_name}]({user.account_id})" for user in fitting[:_MOST_NAMED]
        )
        more = f" ({len(fitting) - _MOST_NAMED} more)" if len(fitting) > _MOST_NAMED else ""
        raise BadValue(f"{where}{shown(name)} is the name of several people; write {several}{more}")
    return fitting[0] if fitting else None
