"""What crosses the border between two processes: pickles, signed with the queue's secret.

Whoever can write to the server could otherwise run code in every worker. The signature covers what
the value is and which submit it belongs to, so no value can be put in the place of another.
"""

from __future__ import annotations

import hashlib
import hmac
import pickle
from typing import TYPE_CHECKING, Any, Final, TypeVar, final

from ticketr._errors import NotSendable
from ticketr.cluster._errors import RemoteError
from ticketr.jobs._job import JobErrorInfo
from ticketr.jobs._sendable import CODECS, LoadFailed, pack_job, pack_value, unpack_job
from ticketr.jobs._values import safe_repr

if TYPE_CHECKING:
    from ticketr.cluster._keys import TaskName
    from ticketr.cluster._secret import Secret
    from ticketr.jobs._retry import Retry

T = TypeVar("T")

LARGEST: Final = 16 * 2**20
"""Bytes of one value; a queue is no place for whole files."""
_CODEC: Final = CODECS["pickle"]
_SIGNATURE_BYTES: Final = 32


@final
class SignedCodec:
    """Packs and unpacks what belongs to a job."""

    def __init__(self, secret: Secret) -> None:
        self._key = secret.value.encode()

    def pack_job(self, task: TaskName, job: object, args: tuple[object, ...]) -> bytes:
        """Return a job and its arguments as bytes.

        Raises:
            NotSendable: Another process could not rebuild them.
        """
        return self._signed("job", task, pack_job(job, args, _CODEC), "the job")

    def unpack_job(self, task: TaskName, data: bytes) -> tuple[Any, tuple[object, ...]]:
        """Return the job and its arguments.

        Raises:
            LoadFailed: They are not of this queue, or cannot be rebuilt here.
        """
        return unpack_job(self._checked("job", task, data), _CODEC)

    def pack_result(self, task: TaskName, value: object) -> bytes:
        """Return the value of a job as bytes.

        Raises:
            NotSendable: Another process could not rebuild it.
        """
        packed = pack_value(value, _CODEC, "the result")
        return self._signed("result", task, packed, "the result")

    def unpack_result(self, task: TaskName, data: bytes) -> object:
        """Return the value of a job.

        Raises:
            LoadFailed: It is not of this queue, or cannot be rebuilt here.
        """
        value: object = _CODEC.decode(self._checked("result", task, data))
        return value

    def pack_error(self, task: TaskName, error: BaseException, info: JobErrorInfo) -> bytes:
        """Return an error as bytes: as text, and itself if it survives the way."""
        itself = None
        try:
            itself = pack_value(error, _CODEC)
            if len(itself) > LARGEST // 2:
                itself = None
        except Exception:  # noqa: BLE001 - the error's own code
            itself = None
        texts = (info.type, info.message[: LARGEST // 8], info.traceback[: LARGEST // 8])
        return self._signed("error", task, pickle.dumps((texts, itself)), "the error")

    def unpack_error(self, task: TaskName, data: bytes) -> tuple[JobErrorInfo, BaseException]:
        """Return an error as text, and itself or the ``RemoteError`` that stands for it.

        Raises:
            LoadFailed: It is not of this queue.
        """
        texts, itself = pickle.loads(self._checked("error", task, data))  # noqa: S301 - signed
        info = JobErrorInfo(*texts)
        error: object = None
        if itself is not None:
            try:
                error = _CODEC.decode(itself)
            except LoadFailed:  # its module may be missing here
                error = None
        if not isinstance(error, BaseException):
            return info, RemoteError(*texts)
        return info, error

    def pack_retry(self, task: TaskName, retry: Retry | None) -> bytes:
        """Return a retry rule as bytes, empty if there is none.

        Raises:
            NotSendable: Another process could not rebuild it.
        """
        if retry is None:
            return b""
        return self._signed("retry", task, pack_value(retry, _CODEC, "retry"), "retry")

    def unpack_retry(self, task: TaskName, data: bytes) -> Retry | None:
        """Return a retry rule.

        Raises:
            LoadFailed: It is not of this queue, or cannot be rebuilt here.
        """
        return _CODEC.decode(self._checked("retry", task, data)) if data else None

    def pack_every(self, task: TaskName, every: str) -> bytes:
        """Return how a repeat's due times follow each other as bytes."""
        return self._signed("every", task, every.encode(), "every")

    def unpack_every(self, task: TaskName, data: bytes) -> bytes:
        """Return how a repeat's due times follow each other.

        Raises:
            LoadFailed: It is not of this queue.
        """
        return self._checked("every", task, data)

    def renamed(self, kind: str, task: TaskName, new: TaskName, data: bytes) -> bytes:
        """Return what belongs to one submit as what belongs to another.

        Raises:
            LoadFailed: It is not of this queue.
        """
        return self._signed(kind, new, self._checked(kind, task, data), kind)

    def _signed(self, kind: str, task: TaskName, data: bytes, what: str) -> bytes:
        """Return data with its signature for one place; refuse data that is too large."""
        if len(data) > LARGEST:
            raise NotSendable(
                what,
                safe_repr(task.job_id),
                f"has {len(data):,} bytes, and at most {LARGEST:,} are sent. Put it in a file or a"
                " database, and send its name",
            )
        return self._signature(kind, task, data) + data

    def _checked(self, kind: str, task: TaskName, data: bytes) -> bytes:
        """Return data without its signature; raise `LoadFailed` if that is wrong."""
        signature, packed = data[:_SIGNATURE_BYTES], data[_SIGNATURE_BYTES:]
        if not hmac.compare_digest(signature, self._signature(kind, task, packed)):
            raise LoadFailed(
                f"the {kind} of job {task.job_id!r} is not signed with this queue's secret"
            )
        return packed

    def _signature(self, kind: str, task: TaskName, data: bytes) -> bytes:
        return hmac.digest(self._key, f"{kind}\0{task}\0".encode() + data, hashlib.sha256)
