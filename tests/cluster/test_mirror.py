"""Test what a process knows of a job whose events come before the answer to its submit."""

from __future__ import annotations

from fakes.clusters import SECRET

from ticketr import JobStatus, Keep
from ticketr.cluster._keys import TaskName
from ticketr.cluster._mirror import Mirror
from ticketr.cluster._record import RemoteRecord
from ticketr.cluster._secret import Secret
from ticketr.cluster._signed import SignedCodec


def told(status: str, revision: int) -> dict[str, bytes]:
    return {"nonce": b"n", "status": status.encode(), "revision": b"%d" % revision}


async def test_a_job_is_known_as_soon_as_its_readers_are_told_of_it() -> None:
    mirror = Mirror(SignedCodec(Secret(SECRET)), Keep())
    record = RemoteRecord(TaskName("j", "n"), "job", 0.0)
    mirror.expect(record)
    assert mirror.find("j") is None

    mirror.apply(record, told("running", 2))
    assert mirror.find("j") is record
    mirror.add(record)
    assert [each.status for each in mirror] == [JobStatus.RUNNING]


async def test_a_withdrawn_job_that_readers_know_is_told_to_end() -> None:
    mirror = Mirror(SignedCodec(Secret(SECRET)), Keep())
    record = RemoteRecord(TaskName("j", "n"), "job", 0.0)
    with mirror.subscriptions.watch(RemoteRecord.snapshot, mirror) as updates:
        mirror.expect(record)
        mirror.apply(record, told("running", 2))
        mirror.withdraw(record)
        assert not mirror.is_idle
        mirror.apply(record, told("cancelled", 3))
        assert mirror.is_idle
        assert [snapshot.status async for snapshot in updates] == [JobStatus.CANCELLED]


async def test_a_withdrawn_job_of_which_nothing_was_told_is_forgotten() -> None:
    mirror = Mirror(SignedCodec(Secret(SECRET)), Keep())
    record = RemoteRecord(TaskName("j", "n"), "job", 0.0)
    mirror.expect(record)
    mirror.withdraw(record)
    assert mirror.is_idle
    assert not mirror.live


async def test_an_ended_job_that_is_looked_up_is_kept_as_others_are() -> None:
    mirror = Mirror(SignedCodec(Secret(SECRET)), Keep(jobs=1))
    for job_id in ("one", "two"):
        record = RemoteRecord(TaskName(job_id, "n"), "job", 0.0)
        record.apply(told("cancelled", 2), SignedCodec(Secret(SECRET)))
        mirror.add(record)
    assert [each.id for each in mirror] == ["two"]
