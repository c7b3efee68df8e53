"""Attachments: downloaded into folders of their own, and uploaded once."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any

import pytest
import trio
from fakes import attachments
from fakes.lossy import Answering
from fakes.pulls import Bench, Recorder

from jira_sandbox import create_app
from jira_sandbox.api.attachments import UPLOAD_LIMIT
from jira_sandbox.data.catalogue import DEMO_USER, USERS
from jira_sandbox.data.model import User as SiteUser
from ticketr import open_job_queue
from ticketr.app.jira import CHUNK_BYTES
from ticketr.app.jira.transport import Request, Response
from ticketr.app.sync import (
    AddAttachmentsJob,
    AttachmentTransferResult,
    Code,
    GetAttachmentsJob,
    ListAttachmentsJob,
)
from ticketr.app.tickets import parse

BIG = os.urandom(2 * CHUNK_BYTES + 7)


def attach(
    bench: Bench, key: str, name: str, content: bytes, *, author: SiteUser = DEMO_USER
) -> None:
    """Attach a file in Jira."""
    attachments.attach(bench.site, key, name, content, author=author)


def attached(bench: Bench, key: str) -> list[tuple[str, bytes]]:
    return [(each.name, bench.site.content(each.id)) for each in bench.finds(key).attachments]


async def run_job(job: Any) -> Any:
    async with open_job_queue(workers=1) as queue:
        return await queue.run(job)


async def get(bench: Bench, *keys: str, **changes: Any) -> AttachmentTransferResult:
    result: AttachmentTransferResult = await run_job(
        GetAttachmentsJob(**bench.settings(**changes), keys=keys)
    )
    return result


async def add(bench: Bench, key: str, *files: Path, **changes: Any) -> AttachmentTransferResult:
    result: AttachmentTransferResult = await run_job(
        AddAttachmentsJob(**bench.settings(**changes), key=key, files=files)
    )
    return result


def files(bench: Bench) -> dict[str, bytes]:
    """Return what is in the folders for attachments, temporary files included."""
    return {
        path.relative_to(bench.root).as_posix(): path.read_bytes()
        for path in sorted(bench.root.rglob("*"))
        if path.is_file() and "attachments" in path.parts
    }


async def test_attachments_are_listed_with_name_and_size(bench: Bench) -> None:
    attach(bench, "DEMO-1", "a.txt", b"one")

    listed = await run_job(ListAttachmentsJob(**bench.settings(), keys=("DEMO-1", "DEMO-99")))

    ((found,),) = listed.attachments_by_key.values()
    assert (found.name, found.size, found.author_id) == ("a.txt", 3, DEMO_USER.account_id)
    assert [(each.key, each.code) for each in listed.failed] == [("DEMO-99", Code.NOT_FOUND)]


async def test_attachments_are_downloaded_in_portions_beside_their_ticket(bench: Bench) -> None:
    await bench.pull()
    (bench.root / "sub").mkdir()
    (bench.root / "DEMO-1.md").rename(bench.root / "sub" / "DEMO-1.md")
    attach(bench, "DEMO-1", "big.bin", BIG)
    attach(bench, "DEMO-1", "empty", b"")

    result = await get(bench, "DEMO-1")

    folder = "sub/attachments/DEMO-1"
    assert files(bench) == {f"{folder}/big.bin": BIG, f"{folder}/empty": b""}
    assert result.done == (f"{folder}/big.bin", f"{folder}/empty")
    assert sum("attachment/content" in each for each in bench.asked) == 3
    again = await get(bench, "DEMO-1")
    assert (again.done, again.unchanged, again.failed) == ((), 2, ())
    assert (await bench.sync()).pull.failed == ()


async def test_no_name_leads_out_of_the_folder_or_is_a_file_of_tickets(bench: Bench) -> None:
    await bench.pull()
    names = [
        "../../evil",
        "/etc/passwd",
        ".hidden",
        "evil.md",
        "a\x1b[2Jb",
        "x/../y",
        "..",
        "con\r\n",
    ]
    for name in names:
        attach(bench, "DEMO-1", name, b"# TICKET: [DEMO-2] Mine\n")

    result = await get(bench, "DEMO-1")

    assert result.failed == ()
    assert {name.rpartition("/")[0] for name in files(bench)} == {"attachments/DEMO-1"}
    assert len(files(bench)) == len(names)
    assert not any(name.rpartition("/")[2].startswith(".") for name in files(bench))
    assert len(bench.keys()) == len(set(bench.keys())) == 12


async def test_files_of_the_user_are_not_replaced(bench: Bench) -> None:
    folder = bench.root / "attachments" / "DEMO-1"
    folder.mkdir(parents=True)
    (folder / "a.txt").write_bytes(b"mine, longer")
    (folder / "b.txt").symlink_to(bench.root / "elsewhere")
    (bench.root / "as long").write_bytes(b"4444")
    (folder / "c.txt").symlink_to(bench.root / "as long")
    attach(bench, "DEMO-1", "a.txt", b"one")
    attach(bench, "DEMO-1", "a.txt", b"two!")
    attach(bench, "DEMO-1", "b.txt", b"three")
    attach(bench, "DEMO-1", "c.txt", b"four")
    ids = [each.id for each in bench.finds("DEMO-1").attachments]

    result = await get(bench, "DEMO-1")

    assert result.failed == ()
    found = files(bench)
    assert found.pop("attachments/DEMO-1/a.txt") == b"mine, longer"
    assert found.pop("attachments/DEMO-1/c.txt") == b"4444"
    assert found == {
        f"attachments/DEMO-1/a ({ids[0]}).txt": b"one",
        f"attachments/DEMO-1/a ({ids[1]}).txt": b"two!",
        f"attachments/DEMO-1/b ({ids[2]}).txt": b"three",
        f"attachments/DEMO-1/c ({ids[3]}).txt": b"four",
    }
    (folder / f"a ({ids[0]}).txt").write_bytes(b"mine too")
    blocked = await get(bench, "DEMO-1")
    assert [each.reason for each in blocked.failed] == [
        "a.txt: other files of its name are in the way; move them away"
    ]


async def test_a_named_pipe_is_no_empty_attachment(bench: Bench) -> None:
    folder = bench.root / "attachments" / "DEMO-1"
    folder.mkdir(parents=True)
    os.mkfifo(folder / "a.txt")
    attach(bench, "DEMO-1", "a.txt", b"")
    (empty,) = bench.finds("DEMO-1").attachments

    result = await get(bench, "DEMO-1")

    assert result.done == (f"attachments/DEMO-1/a ({empty.id}).txt",)


async def test_a_file_that_appears_during_its_download_is_not_replaced(bench: Bench) -> None:
    attach(bench, "DEMO-1", "a.txt", b"one")

    class Saving(Recorder):
        async def send(self, request: Request) -> Response:
            if "attachment/content" in request.url:
                (bench.root / "attachments" / "DEMO-1" / "a.txt").write_bytes(b"mine")
            return await super().send(request)

    result = await get(bench, "DEMO-1", transport=Saving(create_app(bench.site)))

    assert result.done == ()
    assert ["a.txt: File exists" in each.reason for each in result.failed] == [True]
    assert files(bench) == {"attachments/DEMO-1/a.txt": b"mine"}


async def test_a_folder_that_is_a_link_out_of_the_workspace_gets_nothing(
    bench: Bench, tmp_path: Path
) -> None:
    bench.root.mkdir()
    (tmp_path / "outside").mkdir()
    (bench.root / "attachments").symlink_to(tmp_path / "outside")
    attach(bench, "DEMO-1", "a.txt", b"one")

    result = await get(bench, "DEMO-1")

    assert ["attachments is a link" in each.reason for each in result.failed] == [True]
    assert list((tmp_path / "outside").iterdir()) == []


async def test_a_cancelled_download_leaves_whole_files_only(bench: Bench) -> None:
    attach(bench, "DEMO-1", "a.txt", b"one")
    attach(bench, "DEMO-1", "big.bin", BIG)

    class CutOff(Recorder):
        async def send(self, request: Request) -> Response:
            if len([each for each in self.asked if "attachment/content" in each]) == 3:
                scope.cancel()
            return await super().send(request)

    with trio.CancelScope() as scope:
        await get(bench, "DEMO-1", transport=CutOff(create_app(bench.site)))

    assert scope.cancelled_caught
    assert files(bench) == {"attachments/DEMO-1/a.txt": b"one"}
    assert (await get(bench, "DEMO-1")).done == ("attachments/DEMO-1/big.bin",)


async def test_files_are_attached_in_pieces(bench: Bench, tmp_path: Path) -> None:
    big, odd = tmp_path / "big.bin", tmp_path / 'o"dd.txt'
    big.write_bytes(BIG)
    odd.write_bytes(b"")

    result = await add(bench, "DEMO-1", big, odd)

    assert (result.done, result.failed) == ((str(big), str(odd)), ())
    assert attached(bench, "DEMO-1") == [("big.bin", BIG), ('o"dd.txt', b"")]


async def test_what_cannot_be_attached_is_told_before_it_is_sent(
    bench: Bench, tmp_path: Path
) -> None:
    large = tmp_path / "large"
    with large.open("wb") as file:
        file.truncate(UPLOAD_LIMIT + 1)
    os.mkfifo(tmp_path / "pipe")
    (tmp_path / "good").write_bytes(b"good")
    with (tmp_path / "largest").open("wb") as file:
        file.truncate(UPLOAD_LIMIT)

    result = await add(
        bench,
        "DEMO-1",
        *(tmp_path / name for name in ("large", "none", "pipe", "good", "largest")),
    )

    assert [each.reason for each in result.failed] == [
        "it has 10 MB; Jira takes 10 MB at most",
        "it cannot be read: No such file or directory",
        "it cannot be read: it is not a file",
    ]
    assert attached(bench, "DEMO-1") == [("good", b"good"), ("largest", bytes(UPLOAD_LIMIT))]


@pytest.mark.parametrize("taken", [True, False])
@pytest.mark.parametrize("limited", [True, False])
async def test_a_file_whose_answer_was_lost_is_not_attached_twice(
    bench: Bench, tmp_path: Path, taken: bool, limited: bool
) -> None:
    path = tmp_path / "a.txt"
    path.write_bytes(b"one")
    attach(bench, "DEMO-1", "a.txt", b"one")
    status, headers = 429 if limited else 0, {"retry-after": "1"}
    uploads = Answering(
        bench, "POST issue/*/attachments", status, headers=headers, times=1, taken=taken
    )

    result = await add(bench, "DEMO-1", path, transport=uploads)

    arrived = taken or limited
    assert (len(result.done), len(result.failed)) == (arrived, not arrived)
    assert len(attached(bench, "DEMO-1")) == 1 + arrived


async def test_a_file_that_somebody_else_attaches_meanwhile_is_not_taken_for_ours(
    bench: Bench, tmp_path: Path
) -> None:
    path = tmp_path / "a.txt"
    path.write_bytes(b"one")

    class Refusing(Recorder):
        """Refuses the first upload while a colleague attaches a file of that name and size."""

        async def send(self, request: Request) -> Response:
            if request.url.endswith("/attachments") and not attached(bench, "DEMO-1"):
                attach(bench, "DEMO-1", "a.txt", b"two", author=USERS[1])
                return Response(429, {"retry-after": "1"}, b"{}", request.url)
            return await super().send(request)

    result = await add(bench, "DEMO-1", path, transport=Refusing(create_app(bench.site)))

    assert (result.done, result.failed) == ((str(path),), ())
    assert attached(bench, "DEMO-1") == [("a.txt", b"two"), ("a.txt", b"one")]


@pytest.mark.parametrize("taken", [True, False])
async def test_a_cancelled_upload_tells_what_jira_may_have(
    bench: Bench, tmp_path: Path, taken: bool
) -> None:
    first, second = tmp_path / "a.txt", tmp_path / "b.txt"
    for path in (first, second):
        path.write_bytes(b"one")
    sent: list[str] = []

    class Slow(Recorder):
        async def send(self, request: Request) -> Response:
            if request.url.endswith("/attachments"):
                sent.append(request.url)
            if len(sent) == 2:
                if taken:
                    await super().send(request)
                await trio.sleep_forever()
            return await super().send(request)

    job = AddAttachmentsJob(
        **bench.settings(transport=Slow(create_app(bench.site))),
        key="DEMO-1",
        files=[first, second],
    )
    async with open_job_queue(workers=1) as queue:
        handle = await queue.submit(job)
        await trio.sleep(100)
        queue.cancel(handle.id)
        snapshot = await handle.wait()

    assert snapshot.progress is not None
    assert snapshot.progress.message == f"Cancelled: 1 file attached; Jira may have {second}, too"
    assert len(attached(bench, "DEMO-1")) == 1 + taken


async def test_a_file_that_becomes_shorter_while_it_is_sent_is_told(
    bench: Bench, tmp_path: Path
) -> None:
    path = tmp_path / "a.txt"
    path.write_bytes(BIG)

    class Cutting(Recorder):
        async def send(self, request: Request) -> Response:
            if request.source is None:
                return await super().send(request)
            path.write_bytes(b"")
            async for _ in request.source.body_pieces():
                pass
            raise AssertionError

    result = await add(bench, "DEMO-1", path, transport=Cutting(create_app(bench.site)))

    assert [each.reason for each in result.failed] == ["the file became shorter while it was sent"]
    assert attached(bench, "DEMO-1") == []


async def test_a_site_that_takes_no_attachments_is_told(bench: Bench, tmp_path: Path) -> None:
    (tmp_path / "a.txt").write_bytes(b"one")

    off = Answering(bench, "GET attachment/meta", 200, {"enabled": False})
    result = await add(bench, "DEMO-1", tmp_path / "a.txt", transport=off)

    assert [each.reason for each in result.failed] == ["attachments are switched off on this site"]


@pytest.mark.parametrize(
    "settings", [b'{"enabled": true, "uploadLimit": 5000}', b'{"enabled": true}']
)
async def test_a_file_that_a_gateway_finds_too_large_is_named_with_its_size(
    bench: Bench, tmp_path: Path, settings: bytes
) -> None:
    (tmp_path / "a.txt").write_bytes(b"x" * 4321)

    class Gateway(Recorder):
        async def send(self, request: Request) -> Response:
            if request.url.endswith("/attachment/meta"):
                return Response(200, {}, settings, request.url)
            if request.source is not None:
                return Response(413, {"content-type": "text/html"}, b"<html>", request.url)
            return await super().send(request)

    transport = Gateway(create_app(bench.site))
    (note,) = (await add(bench, "DEMO-1", tmp_path / "a.txt", transport=transport)).failed

    limit = " (Jira names 5,000 bytes as its limit)" if b"5000" in settings else ""
    assert f"(413: a.txt has 4,321 bytes{limit}" in note.reason


def listed(bench: Bench, key: str) -> str | None:
    return parse((bench.root / f"{key}.md").read_text()).tickets[0].fields.get("Attachments")


async def test_a_file_lists_attachments_if_the_workspace_says_so(bench: Bench) -> None:
    attach(bench, "DEMO-1", "a, b.txt", b"one")
    attach(bench, "DEMO-1", "shot.png", BIG)
    await bench.pull()
    assert listed(bench, "DEMO-1") is None

    await bench.pull(attachment_mode="list")

    assert listed(bench, "DEMO-1") == '"a, b.txt" (3 bytes), shot.png (2.1 MB)'
    assert files(bench) == {}
    again = await bench.sync(attachment_mode="list")
    assert (again.push.total, again.pull.merged, bench.writes) == (0, 0, [])


async def test_the_list_of_attachments_cannot_be_edited(bench: Bench) -> None:
    attach(bench, "DEMO-1", "a.txt", b"one")
    await bench.pull(attachment_mode="list")
    path = bench.root / "DEMO-1.md"
    path.write_text(path.read_text().replace("a.txt", "b.txt"))

    result = await bench.push(attachment_mode="list")

    assert [each.reason for each in result.failed] == [
        (
            "Attachments: this line only lists what Jira has; put it back, and attach files with "
            "'ticketr attachments add'"
        )
    ]
    assert bench.writes == []


async def test_a_pull_downloads_attachments_if_the_workspace_says_so(bench: Bench) -> None:
    attach(bench, "DEMO-1", "a.txt", b"one")
    attach(bench, "DEMO-4", "b.txt", b"two")

    await bench.pull(attachment_mode="download")

    assert files(bench) == {"attachments/DEMO-1/a.txt": b"one", "attachments/DEMO-4/b.txt": b"two"}
    (bench.root / "attachments" / "DEMO-4" / "b.txt").unlink()
    attach(bench, "DEMO-1", "c.txt", b"three")
    await bench.sync(attachment_mode="download")
    assert sum("attachment/content" in each for each in bench.asked) == 2
    assert len(files(bench)) == 3
    await bench.pull(attachment_mode="download")
    assert not any("attachment/content" in each for each in bench.asked)


async def test_an_attachment_that_is_gone_does_not_end_a_pull(bench: Bench) -> None:
    attach(bench, "DEMO-1", "a.txt", b"one")
    await bench.pull(attachment_mode="list")
    (attachment,) = bench.finds("DEMO-1").attachments
    attach(bench, "DEMO-2", "b.txt", b"two")

    gone = Answering(bench, f"GET attachment/content/{attachment.id}*", 404)
    result = await bench.pull(attachment_mode="download", transport=gone)

    assert [(each.key, each.path) for each in result.failed] == [
        ("DEMO-1", "attachments/DEMO-1/a.txt")
    ]
    assert files(bench) == {"attachments/DEMO-2/b.txt": b"two"}
