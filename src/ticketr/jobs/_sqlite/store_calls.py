"""What a store keeps of a submit: the job, its arguments and its options, as bytes and back."""

from __future__ import annotations

import json
import math
import random
import sys
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final, final

from ticketr._errors import NotSendable
from ticketr.jobs._arguments.retry import Retry
from ticketr.jobs._calls.codecs import CODECS
from ticketr.jobs._calls.importable import (
    LoadFailed,
    import_by_name,
    importable_name,
    load_allowed,
)
from ticketr.jobs._calls.sendable import pack_job, pack_value, unpack_job
from ticketr.jobs._calls.stored_call import StoredCall
from ticketr.jobs._values import safe_repr

if TYPE_CHECKING:
    from collections.abc import Hashable, Mapping

    from ticketr.jobs._calls.codecs import Codec
    from ticketr.jobs._calls.importable import AllowedNames
    from ticketr.jobs._record import JobRecord

MAX_BYTES: Final = 10_000_000
"""The most bytes of one job, its arguments included, and of one result."""


def pack_call(
    record: JobRecord,
    job: object,
    args: tuple[object, ...],
    codec: Codec,
    allowed: AllowedNames | None,
    *,
    is_awaited: bool,
) -> StoredCall:
    """Return what is kept of a submit.

    Raises:
        NotSendable: Another process could not run the job, or the store does not allow it.
    """
    extras = record.extras
    texts = {"id": extras.id, "name": record.name, "tags": sorted(extras.tags)}
    for what, value in texts.items():
        pack_value(value, CODECS["json"], what)
    retry = None if record.retry is None else pack_retry(record.retry)
    options = {
        "name": record.name,
        "tags": texts["tags"],
        "timeout": None if record.timeout == math.inf else record.timeout,
        "retry": retry,
        "any_end": extras.after is not None and extras.after.any_end,
    }
    data = pack_job(job, args, codec)
    if len(data) > MAX_BYTES:
        problem = "Write its data to a file, and submit the path"
        raise NotSendable(
            "the job", f"a job of more than {MAX_BYTES:,} bytes", f"is too large. {problem}"
        )
    key = None if extras.key is None else pack_value(extras.key, codec, "the key")
    if allowed is not None:
        try:
            unpack_job(data, codec, allowed)
            if retry is not None:
                unpack_retry(retry, allowed)
        except LoadFailed as error:
            raise NotSendable("the job", safe_repr(job), f"is refused: {error}") from error
    return StoredCall(codec.name, data, key, json.dumps(options), is_awaited)


@final
@dataclass(frozen=True, slots=True)
class LoadedCall:
    """What :func:`unpack_call` makes of a stored call."""

    job: Any
    args: tuple[object, ...]
    key: Hashable
    name: str
    tags: frozenset[str]
    timeout: float
    retry: Retry | None


def unpack_call(stored: StoredCall, codec: Codec, allowed: AllowedNames | None) -> LoadedCall:
    """Return the job, its arguments and its options.

    Args:
        stored: What is kept of the submit.
        codec: The codec that the store was opened with.
        allowed: What may be loaded; None for anything.

    Raises:
        LoadFailed: They are damaged, are of another codec, or something cannot be loaded.
    """
    if stored.codec != codec.name:
        raise LoadFailed(
            f"its codec is {stored.codec!r}, and the store was opened with {codec.name!r}"
        )
    job, args = unpack_job(stored.job, codec, allowed)
    key = None if stored.key is None else codec.decode(stored.key)
    try:
        hash(key)
        options = json.loads(stored.options)
        retry = None if options["retry"] is None else unpack_retry(options["retry"], allowed)
        timeout = math.inf if options["timeout"] is None else float(options["timeout"])
        return LoadedCall(
            job, args, key, options["name"], frozenset(options["tags"]), timeout, retry
        )
    except (ValueError, KeyError, TypeError) as error:
        raise LoadFailed(f"its options are damaged: {error!r}") from error


def pack_retry(retry: Retry) -> dict[str, object]:
    """Return a retry rule in JSON's types.

    Raises:
        NotSendable: Its errors or functions cannot be imported.
    """
    on: Any = retry.on
    is_tuple = type(on) is tuple
    names = [
        importable_name(kind, "'on' of the retry rule") for kind in (on if is_tuple else (on,))
    ]
    numbers = {
        name: None if (value := getattr(retry, name)) == math.inf else value
        for name in ("attempts", "first", "total")
    }
    is_default = retry.random is random.random or retry.random == random.random
    return {
        **numbers,
        "no_limit": [name for name in numbers if getattr(retry, name) == math.inf],
        "factor": retry.factor,
        "cap": retry.cap,
        "jitter": retry.jitter,
        "on": names if is_tuple else names[0],
        "random": None
        if is_default
        else importable_name(retry.random, "'random' of the retry rule"),
    }


def unpack_retry(rule: Mapping[str, Any], allowed: AllowedNames | None) -> Retry:
    """Return the retry rule that :func:`pack_retry` was given.

    Raises:
        LoadFailed: Something of it cannot be imported.
        ValueError, KeyError, TypeError: It is damaged.
    """
    on, source = rule["on"], rule["random"]
    kinds = (
        tuple(_error_kind(name, allowed) for name in on)
        if isinstance(on, list)
        else _error_kind(on, allowed)
    )
    numbers = {
        name: rule[name] for name in ("attempts", "first", "total", "factor", "cap", "jitter")
    }
    numbers |= dict.fromkeys(rule["no_limit"], math.inf)
    chance = random.random if source is None else load_allowed(source, allowed)
    return Retry(**numbers, on=kinds, random=chance)


def _error_kind(name: str, allowed: AllowedNames | None) -> Any:
    """Return an error class, which need not be allowed, or a function that tells such errors."""
    if allowed is not None and name.partition(":")[0] in sys.modules:
        kind = import_by_name(name)
        if isinstance(kind, type) and issubclass(kind, BaseException):
            return kind
    return load_allowed(name, allowed)
