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
from collections.abc import Iterable, Iterator
from types import FunctionType
from typing import Any, Final, Literal, NamedTuple, Protocol, TypeAlias, final

from ticketr._errors import NotSendable
from ticketr.jobs._calls.importable import MAIN, LoadFailed
from ticketr.jobs._progress import MAX_BITS, MAX_DEPTH
from ticketr.jobs._values import checked_text, safe_repr, safe_str

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

    def decode(self, data: bytes) -> Any:
        """Return the value that these bytes stand for.

        Raises:
            LoadFailed: They do not encode a value.
        """


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


def json_flaw(value: object, path: str = "", depth: int = MAX_DEPTH) -> Flaw | None:
    """Return why a value would not come back equal from JSON; None if it would."""
    problem = ""
    if value is None or type(value) is bool:
        return None
    if type(value) is str:
        problem = "" if is_unicode(value) else "is text that UTF-8 cannot encode"
    elif type(value) is int:
        problem = "is too long a number" if value.bit_length() > MAX_BITS else ""
    elif type(value) is float:
        problem = "" if math.isfinite(value) else "is not a number that JSON has"
    elif type(value) not in (list, dict):
        problem = _other_type(type(value))
    elif not depth:
        problem = f"is nested more than {MAX_DEPTH} deep"
    elif type(value) is list:
        flaws = (json_flaw(item, f"{path}[{n}]", depth - 1) for n, item in enumerate(value))
        return next(filter(None, flaws), None)
    elif type(value) is dict:
        return next(filter(None, _dict_flaws(value, path, depth)), None)
    return Flaw(path, value, problem) if problem else None


def is_unicode(text: str) -> bool:
    """Tell whether UTF-8 can encode a text."""
    try:
        return text.isascii() or bool(text.encode())
    except UnicodeEncodeError:
        return False


def _dict_flaws(items: dict[object, object], path: str, depth: int) -> Iterator[Flaw | None]:
    for name, item in items.items():
        if type(name) is not str or not is_unicode(name):
            yield Flaw(path, name, "is a key of a dict, and JSON's keys are texts")
        yield json_flaw(item, f"{path}[{name!r}]", depth - 1)


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
        data = b""
        for what, value in [*parts, Part("the job", whole)]:
            try:
                data = _pickled(value)
            except NotSendable as flaw:
                raise NotSendable(f"{what}, in it {flaw.what}", flaw.value, flaw.problem) from flaw
            except Exception as flaw:
                words = safe_str(flaw) or type(flaw).__name__
                problem = f"cannot be pickled, or not be read again: {words}"
                raise NotSendable(what, safe_repr(value), problem) from flaw
        return data

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
