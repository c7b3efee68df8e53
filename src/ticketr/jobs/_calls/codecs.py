"""How values become bytes that outlive the process, and the way back.

JSON holds None, booleans, finite numbers, texts, lists and dicts with texts as keys, and gives back
equal values. It refuses all else, objects of subclasses too: a tuple would come back as a list.
Pickle holds nearly everything that can be imported. It runs code when it is read, so it is for data
that nobody else can write.
"""

from __future__ import annotations

import io
import json
import math
import pickle
from types import FunctionType
from typing import TYPE_CHECKING, Any, Final, Literal, NamedTuple, Protocol, TypeAlias, final

from ticketr._errors import NotSendable
from ticketr.jobs._calls.importable import MAIN, LoadFailed
from ticketr.jobs._readers.json import MAX_BITS, MAX_DEPTH
from ticketr.jobs._values import checked_text, safe_repr, safe_str

if TYPE_CHECKING:
    from collections.abc import Iterable

CodecName: TypeAlias = Literal["json", "pickle"]


class Part(NamedTuple):
    """A value of the user's within what is encoded: what it is to the user, and the value."""

    what: str
    value: object


class Codec(Protocol):
    """Converts values to bytes and back."""

    @property
    def name(self) -> CodecName: ...

    def encode(self, whole: object, parts: Iterable[Part]) -> bytes:
        """Return a value as bytes.

        Args:
            whole: The value, which is of JSON's types apart from the parts.
            parts: The user's values in it.

        Raises:
            NotSendable: One of the parts would not come back equal.
        """
        ...

    def decode(self, data: bytes) -> Any:
        """Return the value that these bytes stand for.

        Raises:
            LoadFailed: They do not encode a value.
        """
        ...


class Flaw(NamedTuple):
    """What keeps a value from being JSON: where in it, which value, and why."""

    path: str
    value: object
    problem: str


@final
class JsonCodec:
    """JSON in UTF-8."""

    name: Final = "json"

    def encode(self, whole: object, parts: Iterable[Part]) -> bytes:
        for what, value in parts:
            flaw = json_flaw(value)
            if flaw is not None:
                raise NotSendable(what + flaw.path, safe_repr(flaw.value), flaw.problem)
        text = json.dumps(whole, ensure_ascii=False, allow_nan=False, separators=(",", ":"))
        return text.encode()

    def decode(self, data: bytes) -> Any:
        try:
            return json.loads(data)
        except (ValueError, RecursionError) as error:
            raise LoadFailed(f"this is not JSON: {error}") from error


def json_flaw(value: object, depth: int = MAX_DEPTH) -> Flaw | None:
    """Return why a value would not come back equal from JSON; None if it would."""
    kind = type(value)
    if value is None or kind is bool:
        return None
    if type(value) is str:
        return None if value.isascii() else _text_flaw(value)
    if type(value) is int:
        is_long = value.bit_length() > MAX_BITS
        return Flaw("", value, "is too long a number") if is_long else None
    if type(value) is float:
        return None if math.isfinite(value) else Flaw("", value, "is not a number that JSON has")
    if kind is list or kind is dict:
        if not depth:
            return Flaw("", value, f"is nested more than {MAX_DEPTH} deep")
        return _list_flaw(value, depth) if type(value) is list else _dict_flaw(value, depth)
    return Flaw("", value, _other_type(kind))


def _text_flaw(text: str) -> Flaw | None:
    try:
        text.encode()
    except UnicodeEncodeError:
        return Flaw("", text, "is text that UTF-8 cannot encode")
    return None


def _list_flaw(items: list[object], depth: int) -> Flaw | None:
    for index, item in enumerate(items):
        flaw = json_flaw(item, depth - 1)
        if flaw is not None:
            return flaw._replace(path=f"[{index}]{flaw.path}")
    return None


def _dict_flaw(items: Any, depth: int) -> Flaw | None:
    for name, item in items.items():
        if type(name) is not str or _text_flaw(name) is not None:
            return Flaw("", name, "is a key of a dict, and JSON's keys are texts")
        flaw = json_flaw(item, depth - 1)
        if flaw is not None:
            return flaw._replace(path=f"[{name!r}]{flaw.path}")
    return None


def _other_type(kind: type) -> str:
    if issubclass(kind, tuple):
        return "would come back from JSON as a list. Give a list, or choose codec='pickle'"
    return (
        f"is of {type.__repr__(kind)}, which JSON has not. Give text, numbers, lists and dicts, or"
        " choose codec='pickle'"
    )


@final
class PickleCodec:
    """Pickle, of objects whose classes and functions can be imported."""

    name: Final = "pickle"

    def encode(self, whole: object, parts: Iterable[Part]) -> bytes:
        try:
            return _pickled(whole)
        except Exception as error:
            for what, value in parts:
                try:
                    _pickled(value)
                except NotSendable as flaw:
                    raise NotSendable(f"{what}, in it {flaw.what}", flaw.value, flaw.problem) from (
                        flaw
                    )
                except Exception as flaw:
                    raise NotSendable(what, safe_repr(value), _not_pickled(flaw)) from flaw
            raise NotSendable("the job", safe_repr(whole), _not_pickled(error)) from error

    def decode(self, data: bytes) -> Any:
        try:
            return pickle.loads(data)  # noqa: S301 - the user has chosen it, for data of their own
        except (Exception, SystemExit) as error:  # a module that it imports may raise anything
            words = safe_str(error) or type(error).__name__
            raise LoadFailed(f"this cannot be unpickled: {words}") from error


class _Pickler(pickle.Pickler):
    """Refuses what other processes cannot import."""

    def reducer_override(self, obj: Any) -> Any:
        if isinstance(obj, (type, FunctionType)) and obj.__module__ == MAIN:
            raise NotSendable(
                "a class or function",
                safe_repr(obj),
                "is defined in the program's own file. Write it in a module, and import that",
            )
        return NotImplemented


def _pickled(value: object) -> bytes:
    """Return a value as bytes that can be read again."""
    buffer = io.BytesIO()
    _Pickler(buffer, protocol=5).dump(value)
    data = buffer.getvalue()
    pickle.loads(data)  # noqa: S301 - the value has just been written
    return data


def _not_pickled(error: Exception) -> str:
    words = safe_str(error) or type(error).__name__
    return f"cannot be pickled, or not be read again: {words}"


CODECS: Final[dict[str, Codec]] = {codec.name: codec for codec in (JsonCodec(), PickleCodec())}


def codec_named(name: object) -> Codec:
    """Return a codec.

    Raises:
        TypeError, ValueError: No codec has this name.
    """
    text = checked_text("codec", name)
    if text not in CODECS:
        raise ValueError(f"codec must be 'json' or 'pickle', not {safe_repr(text)}")
    return CODECS[text]
