"""Jobs as bytes that another process can run: a function by name, its arguments by a codec.

What can be sent is a function that can be imported, also within ``plain``, ``in_thread`` and
``functools.partial``, and an object with an ``execute`` method: with JSON a dataclass, which is
rebuilt from its fields, with pickle any object that can be pickled. All else is refused at once, in
words that say which argument it is. Context variables are not sent.

A function or class is named ``module:qualname``. The program's own file is the module ``__main__``,
which is another one in every program. A function in it is named by the module that the file can be
imported as, such as ``app`` for ``app.py``. In the program itself this name means ``__main__``, so
that the file is not run twice.

JSON holds None, booleans, finite numbers, texts, lists and dicts with texts as keys, and gives back
equal values. It refuses all else, objects of subclasses too: a tuple would come back as a list.
Pickle holds nearly everything that can be imported. It runs code when it is read, so it is for data
that nobody else can write.
"""

from __future__ import annotations

import functools
import importlib
import importlib.util
import inspect
import json
import math
import pickle
import sys
from collections.abc import Iterable
from dataclasses import fields
from pathlib import Path
from types import FunctionType, MethodType, ModuleType
from typing import Any, Final, TypeAlias, final

from ticketr._errors import NotSendable
from ticketr.jobs._arguments import InThread, WithoutContext, in_thread, plain
from ticketr.jobs._values import (
    MAX_JSON_DEPTH,
    MAX_JSON_INT_BITS,
    checked_str,
    safe_repr,
    safe_str,
    utf8_escaped,
)

# Names of functions and classes

MAIN_MODULE = "__main__"


class LoadFailed(Exception):
    """Raised when something that was stored or sent cannot be loaded; its text says why."""


@final
class AllowedNames:
    """The functions and classes that a store may load.

    Args:
        functions: These functions and classes, and modules for all that is in them.

    Raises:
        NotSendable: One of them cannot be imported.
        TypeError: It is none of these.
    """

    def __init__(self, functions: Iterable[object]) -> None:
        self._modules: set[str] = set()
        self._names: set[str] = set()
        for thing in functions:
            if isinstance(thing, ModuleType):
                self._modules.add(thing.__name__)
            elif callable(thing):
                self._names.add(importable_name(thing, "one of the functions of the store"))
            else:
                raise TypeError(f"functions takes functions and modules, not {safe_repr(thing)}")

    def __contains__(self, name: str) -> bool:
        return name in self._names or name.partition(":")[0] in self._modules


def importable_name(thing: object, what: str) -> str:
    """Return the name by which another process imports a function or class.

    Args:
        thing: The function or class.
        what: What it is to the user, for the error.

    Raises:
        NotSendable: It has no such name.
    """
    try:
        name = _import_name_of(thing)
        same = import_by_name(name)
    except LoadFailed as error:
        problem = f"cannot be imported: {error}" if error.__cause__ else str(error)
        raise NotSendable(what, safe_repr(thing), problem) from error
    if same is thing or (type(thing) is MethodType and same == thing):  # a class method
        return name
    problem = f"is not what {name} stands for. Give it that name in its module, or submit that"
    raise NotSendable(what, safe_repr(thing), problem)


def _import_name_of(thing: object) -> str:
    """Return the name of a function or class.

    Raises:
        LoadFailed: It cannot be imported by that.
    """
    use = "Submit a function of a module, or a dataclass with an execute method"
    if type(thing) is MethodType and not isinstance(thing.__self__, type):
        raise LoadFailed(f"is a method of one object. {use}")
    module: object = getattr(thing, "__module__", None)
    qualname: object = getattr(thing, "__qualname__", None)
    if type(qualname) is not str or type(module) is not str:
        raise LoadFailed(f"has no name to import it by. {use}")
    write = "Write a function at the top level of a module"
    if "<lambda>" in qualname:
        raise LoadFailed(f"is a lambda, which cannot be imported. {write}")
    if "<" in qualname:
        raise LoadFailed(f"is defined inside a function, so it cannot be imported. {write}")
    if module == MAIN_MODULE and not (module := _importable_main_name()):
        raise LoadFailed(
            "is defined in the program's own file, which cannot be imported. Write it in a module,"
            " and import that"
        )
    return f"{module}:{qualname}"


def import_by_name(name: str, allowed: AllowedNames | None = None) -> Any:
    """Return what a name of :func:`importable_name` stands for.

    Args:
        name: The name.
        allowed: What may be loaded; None for anything.

    Raises:
        LoadFailed: It may not be loaded, or there is no such module or nothing of that name in it.
    """
    if allowed is not None and name not in allowed:
        raise LoadFailed(f"{name} is not among the functions that SqliteStore allows")
    module, _, path = name.partition(":")
    try:
        is_main = module and module == _importable_main_name()
        thing: Any = sys.modules[MAIN_MODULE] if is_main else importlib.import_module(module)
        for part in path.split("."):
            thing = getattr(thing, part)
    except (Exception, SystemExit) as error:  # the module's own code may raise anything
        words = safe_str(error) or type(error).__name__
        raise LoadFailed(f"{name} cannot be imported: {words}") from error
    return thing


@functools.cache
def _importable_main_name() -> str:
    """Return the name by which the program's own file can be imported; empty if there is none."""
    main = sys.modules.get(MAIN_MODULE)
    spec, file = getattr(main, "__spec__", None), getattr(main, "__file__", None)
    if spec is not None and spec.name != MAIN_MODULE:  # python -m
        return str(spec.name)
    if file is None:
        return ""
    path = Path(file)
    try:
        spec = importlib.util.find_spec(path.stem)
        is_file = spec is not None and spec.origin is not None and path.samefile(spec.origin)
    except (ImportError, ValueError, OSError):
        return ""
    return path.stem if is_file else ""


# Values as bytes


@final
class JsonCodec:
    """Converts values to JSON in UTF-8, and back.

    Args:
        allowed: What the store may load; None for anything.
    """

    name: Final = "json"

    def __init__(self, allowed: AllowedNames | None = None) -> None:
        self.allowed: Final = allowed

    def check(self, what: str, value: object) -> None:
        """Check a value of the user's.

        Args:
            what: What it is to the user.
            value: The value.

        Raises:
            NotSendable: It would not come back equal.
        """
        _check_json(what, value, MAX_JSON_DEPTH)

    def encode(self, value: object) -> bytes:
        """Return a value as bytes, in which the user's values were checked."""
        text = json.dumps(value, ensure_ascii=False, allow_nan=False, separators=(",", ":"))
        return text.encode()

    def decode(self, data: bytes) -> Any:
        """Return the value that these bytes stand for.

        Raises:
            LoadFailed: They do not encode a value.
        """
        try:
            return json.loads(data)
        except (ValueError, RecursionError) as error:
            raise LoadFailed(f"this is not JSON: {error}") from error


def _check_json(what: str, value: Any, depth_left: int) -> None:
    kind = type(value)
    if kind in (list, dict) and depth_left:
        for name, item in value.items() if kind is dict else enumerate(value):
            if kind is dict and (type(name) is not str or _find_json_leaf_problem(name)):
                problem = "is a key of a dict, and JSON's keys are texts"
                raise NotSendable(what, safe_repr(name), problem)
            _check_json(f"{what}[{name!r}]", item, depth_left - 1)
    elif problem := _find_json_leaf_problem(value):
        raise NotSendable(what, safe_repr(value), problem)


def _find_json_leaf_problem(value: Any) -> str:
    """Return what is wrong with a value that holds no others; empty if nothing is."""
    kind = type(value)
    if kind is str:
        return "" if utf8_escaped(value) == value else "is text that UTF-8 cannot encode"
    if kind is int:
        return "is too long a number" if value.bit_length() > MAX_JSON_INT_BITS else ""
    if kind is float:
        return "" if math.isfinite(value) else "is not a number that JSON has"
    if value is None or kind is bool:
        return ""
    if kind in (list, dict):
        return f"is nested more than {MAX_JSON_DEPTH} deep"
    if issubclass(kind, tuple):
        return "would come back from JSON as a list. Give a list, or choose codec='pickle'"
    return (
        f"is of {type.__repr__(kind)}, which JSON has not. Give text, numbers, lists and dicts, or"
        " choose codec='pickle'"
    )


@final
class PickleCodec:
    """Converts objects whose classes and functions can be imported to a pickle, and back."""

    name: Final = "pickle"
    allowed: Final[None] = None

    def check(self, what: str, value: object) -> bytes:
        """Return a value as bytes, or raise NotSendable as :meth:`JsonCodec.check` does."""
        try:
            data = pickle.dumps(value, protocol=5)
            pickle.loads(data)  # noqa: S301 - the value has just been written
        except Exception as error:
            words = safe_str(error) or type(error).__name__
            problem = f"cannot be pickled, or not be read again: {words}"
            raise NotSendable(what, safe_repr(value), problem) from error
        return data

    def encode(self, value: object) -> bytes:
        """Return a value as bytes."""
        return self.check("the job", value)

    def decode(self, data: bytes) -> Any:
        """Return the value that these bytes stand for, as :meth:`JsonCodec.decode` does."""
        try:
            return pickle.loads(data)  # noqa: S301 - the user has chosen it, for data of their own
        except (Exception, SystemExit) as error:  # a module that it imports may raise anything
            words = safe_str(error) or type(error).__name__
            raise LoadFailed(f"this cannot be unpickled: {words}") from error


Codec: TypeAlias = JsonCodec | PickleCodec


def codec_named(name: object, functions: Iterable[object] | None = None) -> Codec:
    """Return the codec of this name for a store that may load these functions; None for any.

    Raises:
        TypeError, ValueError: No codec has this name, or it cannot be limited to functions.
        NotSendable: One of the functions cannot be imported.
    """
    text = checked_str("codec", name)
    if text not in ("json", "pickle"):
        raise ValueError(f"codec must be 'json' or 'pickle', not {safe_repr(text)}")
    allowed = None if functions is None else AllowedNames(functions)
    if text == "json":
        return JsonCodec(allowed)
    if allowed is not None:
        raise ValueError("functions needs codec='json': a pickle calls what it names")
    return PickleCodec()


# Jobs as bytes


def pack_job(job: object, args: tuple[object, ...], codec: Codec) -> bytes:
    """Return a job and its arguments as bytes.

    Args:
        job: What was submitted.
        args: The arguments that follow the context.
        codec: What converts the arguments.

    Raises:
        NotSendable: The job cannot be imported, or a value does not come back equal.
    """
    spec = _spec_of(job, codec)
    _check_values(codec, "argument", enumerate(args, start=1))
    data = codec.encode({"job": spec, "args": [*args]})
    if "object" in spec:
        _check_rebuilt_fields_equal(job, spec)
    return data


def _check_values(
    codec: Codec, what: str, values: Iterable[tuple[object, object]], of: str = ""
) -> None:
    for name, value in values:
        codec.check(f"{what} {name!r}{of}", value)


def unpack_job(data: bytes, codec: Codec) -> tuple[Any, tuple[object, ...]]:
    """Return the job and the arguments that :func:`pack_job` was given.

    Raises:
        LoadFailed: The bytes are damaged, or the job may not be loaded, imported or rebuilt.
    """
    whole = codec.decode(data)
    try:
        spec, args = whole["job"], whole["args"]
        return _job_of(spec, codec.allowed), (*args,)
    except (KeyError, TypeError) as error:
        raise LoadFailed(f"this is not a job: {safe_repr(whole)}") from error


def pack_value(value: object, codec: Codec, what: str = "the value") -> bytes:
    """Return one value, such as a job's result, as bytes.

    Raises:
        NotSendable: It does not come back equal.
    """
    codec.check(what, value)
    return codec.encode(value)


def _spec_of(job: object, codec: Codec) -> dict[str, object]:
    """Describe a job in JSON's types, and check the user's values in it."""
    if type(job) is functools.partial:
        of = f" of {safe_repr(job)}"
        _check_values(codec, "argument", [*enumerate(job.args, start=1), *job.keywords.items()], of)
        inner = _spec_of(job.func, codec)
        return {"partial": inner, "args": [*job.args], "keywords": {**job.keywords}}
    if type(job) is WithoutContext:
        return {"plain": _spec_of(job.function, codec)}
    if type(job) is InThread:
        spec = _spec_of(job.function, codec)
        return {"in_thread": spec, "abandon_on_cancel": job.abandon_on_cancel}
    if type(job) is not FunctionType and getattr(job, "execute", None) is not None:
        return _object_spec(job, codec)
    return {"function": importable_name(job, "the job")}


def _object_spec(job: object, codec: Codec) -> dict[str, object]:
    kind: Any = type(job)
    name = importable_name(kind, "the class of the job")
    if codec.name == "pickle":
        return {"pickled": job}
    if "__dataclass_fields__" not in vars(kind):
        problem = "is not a dataclass. Make its class one, or choose codec='pickle'"
        raise NotSendable("the job", safe_repr(job), problem)
    values = _init_fields_of(job)
    if values.keys() != inspect.signature(kind).parameters.keys():
        problem = "is not made of its fields alone. Let its class have a field for each parameter"
        raise NotSendable("the job", safe_repr(job), problem)
    _check_values(codec, "field", values.items(), f" of {kind.__name__}")
    return {"object": name, "fields": values}


def _init_fields_of(job: Any) -> dict[str, object]:
    try:
        return {field.name: getattr(job, field.name) for field in fields(job) if field.init}
    except Exception as error:
        problem = f"has a field that cannot be read: {safe_str(error)}"
        raise NotSendable("the job", safe_repr(job), problem) from error


def _check_rebuilt_fields_equal(job: object, spec: dict[str, Any]) -> None:
    """Rebuild a dataclass, and compare its fields, which have JSON's types."""
    try:
        rebuilt = _init_fields_of(_job_of(spec))
    except LoadFailed as error:
        raise NotSendable("the job", safe_repr(job), f"cannot be rebuilt: {error}") from error
    for name, value in spec["fields"].items():
        if type(rebuilt[name]) is not type(value) or rebuilt[name] != value:
            problem = (
                f"becomes {safe_repr(rebuilt[name])} when the object is rebuilt. Let the class keep"
                " it as it is given"
            )
            what = f"field {name!r} of {type(job).__name__}"
            raise NotSendable(what, safe_repr(value), problem)


def _job_of(spec: dict[str, Any], allowed: AllowedNames | None = None) -> Any:
    """Return the job that a description stands for.

    Raises:
        LoadFailed: It cannot be imported or rebuilt.
        KeyError, TypeError: This is not a description of a job.
    """
    if "function" in spec:
        return import_by_name(spec["function"], allowed)
    if "object" in spec:
        return _call_class(spec["object"], spec["fields"], allowed)
    if "pickled" in spec:
        return spec["pickled"]
    if "plain" in spec:
        return plain(_job_of(spec["plain"], allowed))
    if "in_thread" in spec:
        abandon = spec["abandon_on_cancel"]
        return in_thread(_job_of(spec["in_thread"], allowed), abandon_on_cancel=abandon)
    return functools.partial(_job_of(spec["partial"], allowed), *spec["args"], **spec["keywords"])


def _call_class(class_name: str, values: dict[str, object], allowed: AllowedNames | None) -> Any:
    kind = import_by_name(class_name, allowed)
    if not inspect.isclass(kind):
        raise LoadFailed(f"{class_name} is no longer a class")
    try:
        return kind(**values)
    except Exception as error:
        words = safe_str(error) or type(error).__name__
        raise LoadFailed(f"{class_name} cannot be made of its fields: {words}") from error
