"""The result of a workspace's sync as plain data, for a process elsewhere. Pure.

A worker sends neither the address of a site nor the path of a folder.
"""

from __future__ import annotations

import json
from dataclasses import asdict, dataclass, fields, replace
from typing import TYPE_CHECKING, Any, TypeVar

from ticketr._errors import TicketrError
from ticketr.sync import Code, Note, PullResult, PushResult, SyncResult

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

R = TypeVar("R", PullResult, PushResult)

#: What a push knows and a worker does not send: its site, and the texts that it has sent.
_KEPT = ("site", "planned")


@dataclass(eq=False, repr=False)
class WorkspaceFailed(TicketrError):
    """Raised by a worker whose sync of a workspace failed.

    Attributes:
        message: What failed, for people.
        error: The name of the error that ended it.
        exit_code: The exit code of the command that asked for it.
        so_far: What was done until then, as `result_as_plain` returns it; empty for nothing.
    """

    message: str
    error: str
    exit_code: int
    so_far: dict[str, Any]

    def __str__(self) -> str:
        return self.message


def hide(text: str, words: Mapping[str, str]) -> str:
    """Return a text with other words for what must not leave a machine, the longest first."""
    for each in sorted(words, key=len, reverse=True):
        text = text.replace(each, words[each])
    return text


def result_as_plain(result: SyncResult, cleaned: Callable[[str], str]) -> dict[str, Any]:
    """Return a result in JSON's types.

    Args:
        result: The result.
        cleaned: Returns a text without what must not leave the machine.
    """
    data = json.loads(json.dumps(asdict(result)))
    for name in _KEPT:
        del data["push"][name]
    plain: dict[str, Any] = _with_cleaned_texts(data, cleaned)
    return plain


def result_from_plain(data: Mapping[str, Any], site: str) -> SyncResult:
    """Return the result that `result_as_plain` was given, without what that leaves out.

    Args:
        data: The result in JSON's types; empty for one that has done nothing.
        site: The site's address for browsers.
    """
    push = _result_from_plain(PushResult, data.get("push", {}))
    return SyncResult(
        _result_from_plain(PullResult, data.get("pull", {})), replace(push, site=site)
    )


def _result_from_plain(kind: type[R], data: Mapping[str, Any]) -> R:
    """Make a result; a worker of another version may send more, or less."""
    known = {each.name for each in fields(kind)}
    return kind(**{name: _from_plain(each) for name, each in data.items() if name in known})


def _from_plain(value: Any) -> Any:
    if not isinstance(value, list):
        return value
    return tuple(
        Note(**{**each, "code": Code(each["code"])}) if isinstance(each, dict) else each
        for each in value
    )


def _with_cleaned_texts(value: Any, cleaned: Callable[[str], str]) -> Any:
    match value:
        case str():
            return cleaned(value)
        case list():
            return [_with_cleaned_texts(each, cleaned) for each in value]
        case dict():
            return {name: _with_cleaned_texts(each, cleaned) for name, each in value.items()}
        case _:
            return value
