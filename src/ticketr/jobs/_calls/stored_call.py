"""A submit as bytes."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, final

if TYPE_CHECKING:
    from ticketr.jobs._calls.codecs import CodecName


@final
@dataclass(frozen=True, slots=True)
class StoredCall:
    """A job's function, arguments and options as bytes.

    Attributes:
        codec: The codec of the job and its key.
        job: The job and its arguments.
        key: The key; None for none.
        options: The other options, which do not change while the job is live, as JSON.
        is_awaited: Whether a submit waits until it is written, and fails if it cannot be.
    """

    codec: CodecName
    job: bytes
    key: bytes | None
    options: str
    is_awaited: bool = False
