"""A job as bytes that another process can run: its function by name, its arguments by a codec.

What can be sent is a function that can be imported, also within ``plain``, ``in_thread`` and
``functools.partial``, and an object with an ``execute`` method: with JSON a dataclass, which is
rebuilt from its fields, with pickle any object that can be pickled. All else is refused at once, in
words that say which argument it is. Context variables are not sent.
"""

from __future__ import annotations

import functools
import inspect
from dataclasses import fields
from types import FunctionType
from typing import Any

from ticketr._errors import NotSendable
from ticketr.jobs._arguments import InThread, Plain, in_thread, plain
from ticketr.jobs._calls.codecs import Codec, Part
from ticketr.jobs._calls.importable import AllowedNames, LoadFailed, importable_name, load_allowed
from ticketr.jobs._values import safe_repr, safe_str

JOB = "the job"


def pack_job(job: object, args: tuple[object, ...], codec: Codec) -> bytes:
    """Return a job and its arguments as bytes.

    Args:
        job: What was submitted.
        args: The arguments that follow the context.
        codec: What converts the arguments.

    Raises:
        NotSendable: The job cannot be imported, or a value does not come back equal.
    """
    parts = [Part(f"argument {number}", value) for number, value in enumerate(args, start=1)]
    spec = _spec_of(job, codec, parts)
    data = codec.encode({"job": spec, "args": [*args]}, parts)
    if "object" in spec:
        _check_comes_back(job, spec)
    return data


def unpack_job(
    data: bytes, codec: Codec, allowed: AllowedNames | None = None
) -> tuple[Any, tuple[object, ...]]:
    """Return the job and the arguments that :func:`pack_job` was given.

    Args:
        data: The bytes.
        codec: What they were written with.
        allowed: What may be loaded; None for anything.

    Raises:
        LoadFailed: The bytes are damaged, or the job cannot be imported or rebuilt.
    """
    whole = codec.decode(data)
    try:
        spec, args = whole["job"], whole["args"]
        return _job_of(spec, allowed), (*args,)
    except (KeyError, TypeError) as error:
        raise LoadFailed(f"this is not a job: {safe_repr(whole)}") from error


def pack_value(value: object, codec: Codec, what: str = "the value") -> bytes:
    """Return one value, such as a job's result, as bytes.

    Raises:
        NotSendable: It does not come back equal.
    """
    return codec.encode(value, [Part(what, value)])


def _is_object(job: object) -> bool:
    """Tell whether a job is an object with an ``execute`` method."""
    return type(job) is not FunctionType and getattr(job, "execute", None) is not None


def _spec_of(job: object, codec: Codec, parts: list[Part]) -> dict[str, object]:
    """Describe a job in JSON's types, and add the user's values in it to the parts."""
    if type(job) is functools.partial:
        words = f"of {safe_repr(job)}"
        parts += [Part(f"argument {n} {words}", v) for n, v in enumerate(job.args, start=1)]
        parts += [Part(f"argument {name!r} {words}", v) for name, v in job.keywords.items()]
        inner = _spec_of(job.func, codec, parts)
        return {"partial": inner, "args": [*job.args], "keywords": {**job.keywords}}
    if type(job) is Plain:
        return {"plain": _spec_of(job.function, codec, parts)}
    if type(job) is InThread:
        spec = _spec_of(job.function, codec, parts)
        return {"in_thread": spec, "abandon_on_cancel": job.abandon_on_cancel}
    if _is_object(job):
        return _object_spec(job, codec, parts)
    return {"function": importable_name(job, JOB)}


def _object_spec(job: object, codec: Codec, parts: list[Part]) -> dict[str, object]:
    kind: Any = type(job)
    name = importable_name(kind, f"the class of {JOB}")
    if codec.name == "pickle":
        parts.append(Part(JOB, job))
        return {"pickled": job}
    if "__dataclass_fields__" not in vars(kind):
        problem = "is not a dataclass. Make its class one, or choose codec='pickle'"
        raise NotSendable(JOB, safe_repr(job), problem)
    values = _fields_of(job)
    if values.keys() != _parameters_of(kind):
        problem = "is not made of its fields alone. Let its class have a field for each parameter"
        raise NotSendable(JOB, safe_repr(job), problem)
    shown = kind.__name__
    parts += [Part(f"field {field!r} of {shown}", value) for field, value in values.items()]
    return {"object": name, "fields": values}


@functools.lru_cache(maxsize=256)
def _parameters_of(kind: type) -> frozenset[str]:
    return frozenset(inspect.signature(kind).parameters)


def _fields_of(job: Any) -> dict[str, object]:
    try:
        return {field.name: getattr(job, field.name) for field in fields(job) if field.init}
    except Exception as error:
        problem = f"has a field that cannot be read: {safe_str(error)}"
        raise NotSendable(JOB, safe_repr(job), problem) from error


def _check_comes_back(job: object, spec: dict[str, Any]) -> None:
    """Rebuild a dataclass, and compare its fields, which have JSON's types."""
    try:
        rebuilt = _fields_of(_job_of(spec))
    except LoadFailed as error:
        raise NotSendable(JOB, safe_repr(job), f"cannot be rebuilt: {error}") from error
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
        return load_allowed(spec["function"], allowed)
    if "object" in spec:
        return _rebuilt(spec["object"], spec["fields"], allowed)
    if "pickled" in spec:
        return spec["pickled"]
    if "plain" in spec:
        return plain(_job_of(spec["plain"], allowed))
    if "in_thread" in spec:
        abandon = spec["abandon_on_cancel"]
        return in_thread(_job_of(spec["in_thread"], allowed), abandon_on_cancel=abandon)
    inner = _job_of(spec["partial"], allowed)
    return functools.partial(inner, *spec["args"], **spec["keywords"])


def _rebuilt(name: str, values: dict[str, object], allowed: AllowedNames | None) -> Any:
    kind = load_allowed(name, allowed)
    if not inspect.isclass(kind):
        raise LoadFailed(f"{name} is no longer a class")
    try:
        return kind(**values)
    except Exception as error:
        words = safe_str(error) or type(error).__name__
        raise LoadFailed(f"{name} cannot be made of its fields: {words}") from error
