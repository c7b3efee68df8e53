"""Checks single values of settings, names of fields included, and finds names like an unknown one.

Pure: no file is read and no request is sent.
"""

from __future__ import annotations

import difflib
import re
import unicodedata
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field
from typing import Literal, TypeAlias, TypeVar
from urllib.parse import urlsplit

from ticketr.app.config.errors import BadSetting

Word = TypeVar("Word", bound=str)


def folded(name: str) -> str:
    """Return the form of a name in which two names are compared.

    Case does not count, nor whether an accented letter is written as one character or as two.
    """
    return unicodedata.normalize("NFC", name).casefold()


def remove_word_separators(name: str) -> str:
    """Return a name without its blanks, hyphens and underscores, except between two digits."""
    return re.sub(r"(?<!\d)[\s_-]+|[\s_-]+(?!\d)", "", name)


def close_names(name: str, known: Iterable[str], *, most: int = 1) -> list[str]:
    """Return the known names that are most like an unknown one, the best first."""
    by_folded = {folded(text): text for text in known}
    return [
        by_folded[match] for match in difflib.get_close_matches(folded(name), by_folded, n=most)
    ]


def nearest(name: str, known: Iterable[str]) -> str | None:
    """Return the known name that is most like an unknown one; None where none is like it."""
    return next(iter(close_names(name, known)), None)


@dataclass(frozen=True, slots=True)
class UserNamedField:
    """A field under a name of the user's own.

    Attributes:
        name: The name of its line.
        id: What Jira calls it, such as ``customfield_10016``.
        mapping_file: The file in which it stands, for errors.
    """

    name: str
    id: str
    mapping_file: str = field(default="", compare=False)


#: Lines that a push knows by their names, with their fields.
_FIELD_ID_BY_RESERVED_NAME = {"Type": "issuetype", "Status": "status"}
#: A field by the name that the site has for it, or under one of the user's own.
NameOrUserNamedField: TypeAlias = "str | UserNamedField"


def conflicting_reserved_name(wanted: UserNamedField) -> str | None:
    """Return the reserved name that a mapping breaks: its name or its field belongs to that name."""
    for name, field_id in _FIELD_ID_BY_RESERVED_NAME.items():
        if (name == wanted.name) != (field_id == wanted.id):
            return name
    return None


def with_single_spaces(name: str) -> str:
    """Return a name with its whitespace collapsed to single spaces."""
    return " ".join(name.split())


#: What can be done with the attachments of tickets.
ATTACHMENT_MODES: tuple[Literal["list", "download"], ...] = ("list", "download")
#: What to do with a conflict when the command line does not say.
CONFLICT_STRATEGIES = ("mine", "jira", "both")
#: Older words for them, which are still read.
FORMER_STRATEGY_NAMES = {"local": "mine", "remote": "jira", "merge": "both"}
#: The number of writes above which a push or sync asks before it begins.
CONFIRM_ABOVE_WRITES = 20

_DEFAULT_PORTS = {"http": 80, "https": 443}


def checked_site(setting: str, url: str) -> str:
    """Check a site's address and return its normal form, so that one site has one spelling.

    Raises:
        BadSetting: It is not an address, or holds more than one; what may be a secret in it is not
            repeated.
    """
    if "@" in url:  # anywhere: the address may be wrong in other ways, too
        shown = f"...@{url.rpartition('@')[2]}"
        raise BadSetting(setting, shown, "leave the login out of it; it belongs in JIRA_EMAIL")
    try:
        parts = urlsplit(url)
        port = parts.port  # raises for a bad port
    except ValueError as error:
        raise BadSetting(setting, url, str(error)) from None
    if parts.query or parts.fragment:  # not shown, since it may hold a secret
        shown = f"{parts.scheme}://{parts.netloc}{parts.path}?..."
        raise BadSetting(setting, shown, "leave out what follows the path")
    # Letters beyond ASCII need their xn-- form: some look like those of another host.
    is_plain = url.isascii() and url.isprintable() and not set(url) & {" ", "\\"}
    has_dots = not {".", ".."}.isdisjoint(parts.path.split("/"))
    if parts.scheme not in _DEFAULT_PORTS or not parts.hostname or has_dots or not is_plain:
        raise BadSetting(setting, url, "write it as https://you.atlassian.net")
    host = f"[{parts.hostname}]" if ":" in (parts.hostname or "") else parts.hostname
    written = "" if port in {None, _DEFAULT_PORTS[parts.scheme]} else f":{port}"
    return f"{parts.scheme}://{host}{written}{parts.path.rstrip('/')}"


def _make_check(is_valid: Callable[[str], object], problem: str) -> Callable[[str, str], str]:
    """Return a check that takes the setting's name and a value, and returns the value.

    The check raises `BadSetting` where the value is not valid.
    """

    def checked(setting: str, value: str) -> str:
        if not is_valid(value):
            raise BadSetting(setting, value, problem)
        return value

    return checked


#: Checks a project's key.
checked_project = _make_check(
    re.compile(r"[A-Z][A-Z0-9_]+").fullmatch,
    "a project key is upper-case letters and digits, like DEMO",
)
#: Checks the name of a workspace.
checked_workspace_name = _make_check(
    re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,63}").fullmatch,
    "use letters, digits, '.', '_' and '-'",
)
#: Checks a site's cloud ID, which becomes part of an address.
checked_cloud_id = _make_check(
    re.compile(r"[A-Za-z0-9-]{1,64}").fullmatch, "a cloud ID is letters, digits and '-'"
)
#: Checks the e-mail address of an account; a colon would end it early in a request.
checked_email = _make_check(
    lambda email: email.isprintable() and not set(email) & {":", " "},
    "it is the e-mail address of your account",
)
#: Checks a query, as far as that goes without asking Jira.
checked_jql = _make_check(str.strip, "the query is empty")


def checked_attachment_mode(setting: str, mode: str) -> Literal["list", "download"]:
    """Check what is to be done with attachments.

    Raises:
        BadSetting: Nothing of that name can be done.
    """
    return _checked_choice(setting, mode, ATTACHMENT_MODES)


def checked_canonical_strategy(setting: str, strategy: str) -> str:
    """Check the strategy for conflicts, and return its word of today.

    Raises:
        BadSetting: There is no such strategy.
    """
    word = FORMER_STRATEGY_NAMES.get(strategy, strategy)
    return _checked_choice(setting, word, CONFLICT_STRATEGIES)


def _checked_choice(setting: str, word: str, known: Sequence[Word]) -> Word:
    if word not in known:
        hint = nearest(word, known)
        offer = f" (did you mean {hint}?)" if hint else ""
        raise BadSetting(setting, word, f"it is one of {', '.join(known)}{offer}")
    return known[known.index(word)]  # of the exact type, which `word` does not have
