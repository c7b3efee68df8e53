"""Test that only what was signed for its place with the queue's secret is rebuilt."""

from __future__ import annotations

import pytest
from fakes import cluster_jobs as jobs

from ticketr import Retry
from ticketr.cluster._keys import TaskName
from ticketr.cluster._secret import Secret
from ticketr.cluster._signed import SignedCodec
from ticketr.jobs._sendable import LoadFailed

TASK = TaskName("j", "n")
OURS, THEIRS = SignedCodec(Secret("x" * 16)), SignedCodec(Secret("y" * 16))


def test_a_job_comes_back() -> None:
    job, args = OURS.unpack_job(TASK, OURS.pack_job(TASK, jobs.echo, (1,)))

    assert (job, args) == (jobs.echo, (1,))


@pytest.mark.parametrize(
    "packed",
    [
        pytest.param(THEIRS.pack_job(TASK, jobs.echo, (1,)), id="another secret"),
        pytest.param(OURS.pack_job(TaskName("j", "m"), jobs.echo, (1,)), id="another submit"),
        pytest.param(OURS.pack_job(TaskName("k", "n"), jobs.echo, (1,)), id="another job"),
        pytest.param(OURS.pack_retry(TASK, Retry(3)), id="another kind"),
        pytest.param(OURS.pack_job(TASK, jobs.echo, (1,)) + b"x", id="more"),
        pytest.param(b"", id="nothing"),
    ],
)
def test_a_job_that_is_not_signed_for_its_submit_is_refused(packed: bytes) -> None:
    with pytest.raises(LoadFailed, match="the job of job 'j' is not signed with this queue's"):
        OURS.unpack_job(TASK, packed)
