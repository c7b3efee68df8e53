"""What a store keeps of a submit: the job, its arguments and its options, as bytes and back."""

from __future__ import annotations

import json
import math
import random
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final, final

from ticketr._errors import NotSendable
from ticketr.jobs._codecs import CODECS
from ticketr.jobs._importable import LoadFailed, import_by_name, importable_name
from ticketr.jobs._retry import Retry
from ticketr.jobs._sendable import pack_job, pack_value, unpack_job
from ticketr.jobs._stored_call import StoredCall

if TYPE_CHECKING:
    from collections.abc import Hashable, Mapping

    from ticketr.jobs._codecs import Codec
    from ticketr.jobs._record import JobRecord

MAX_BYTES: Final = 10_000_000
"""The most bytes of one job, its arguments included, and of one result."""


def pack_call(
    record: JobRecord, job: object, args: tuple[object, ...], codec: Codec, *, is_awaited: bool
) -> StoredCall:
    """Return what is kept of a submit.

    Raises:
        NotSendable: Another process could not run the job.
    """
    extras = record.extras
    texts = {"id": extras.id, "name": record.name, "tags": sorted(extras.tags)}
    for what, value in texts.items():
        pack_value(value, CODECS["json"], what)
    options = {
        "name": record.name,
        "tags": texts["tags"],
        "timeout": None if record.timeout == math.inf else record.timeout,
        "retry": None if record.retry is None else pack_retry(record.retry),
        "any_end": extras.after is not None and extras.after.any_end,
    }
    data = pack_job(job, args, codec)
    if len(data) > MAX_BYTES:
        problem = "Write its data to a file, and submit the path"
        raise NotSendable(
            "the job", f"a job of more than {MAX_BYTES:,} bytes", f"is too large. {problem}"
        )
    key = None if extras.key is None else pack_value(extras.key, codec, "the key")
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


def unpack_call(stored: StoredCall) -> LoadedCall:
    """Return the job, its arguments and its options.

    Raises:
        LoadFailed: They are damaged, or something cannot be imported or rebuilt.
    """
    codec = CODECS.get(stored.codec)
    if codec is None:
        raise LoadFailed(f"its codec {stored.codec!r} is not known")
    job, args = unpack_job(stored.job, codec)
    key = None if stored.key is None else codec.decode(stored.key)
    try:
        hash(key)
        options = json.loads(stored.options)
        retry = None if options["retry"] is None else unpack_retry(options["retry"])
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


def unpack_retry(rule: Mapping[str, Any]) -> Retry:
    """Return the retry rule that :func:`pack_retry` was given.

    Raises:
        LoadFailed: Something of it cannot be imported.
        ValueError, KeyError, TypeError: It is damaged.
    """
    on, source = rule["on"], rule["random"]
    kinds = (
        tuple(import_by_name(name) for name in on) if isinstance(on, list) else import_by_name(on)
    )
    numbers = {
        name: rule[name] for name in ("attempts", "first", "total", "factor", "cap", "jitter")
    }
    numbers |= dict.fromkeys(rule["no_limit"], math.inf)
    chance = random.random if source is None else import_by_name(source)
    return Retry(**numbers, on=kinds, random=chance)
