"""Pictures of files on disk: attached once, wherever a push ends, then shown by descriptions."""

from __future__ import annotations

import random
from collections.abc import Callable, Iterable
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
import trio
from fakes.cancelled_jobs import cancel_at_each, count_steps
from fakes.described import attach, blocks, describe, p, picture
from fakes.lossy import Lossy, once
from fakes.pulls import URL, Bench, Recorder
from fakes.scenes import copy_scene, run

from jira_sandbox import create_app, make_site
from jira_sandbox.api.attachments import UPLOAD_LIMIT
from jira_sandbox.api.media import media_id
from ticketr.app.jira import AttachmentSettings, JiraClient
from ticketr.app.jira.errors import ConnectFailed, ConnectionLost
from ticketr.app.jira.transport import Request, Response
from ticketr.app.sync import Code, PushJob, SyncJob

PNG = b"\x89PNG one"


def attached(bench: Bench, key: str) -> dict[str, bytes]:
    return {each.name: bench.site.content(each.id) for each in bench.finds(key).attachments}


def media(bench: Bench, key: str, name: str) -> str:
    (found,) = (each.id for each in bench.finds(key).attachments if each.name == name)
    return media_id(found)


def save(bench: Bench, name: str, content: bytes = PNG) -> None:
    path = bench.root / name
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(content)


async def write(bench: Bench, *lines: str, key: str = "DEMO-1") -> None:
    """Pull a description of one line, and write lines below it."""
    describe(bench, key, p("one"))
    await bench.pull()
    bench.edits(key, "\none\n", "\n".join(["\none\n", *lines, ""]))


async def test_a_picture_is_attached_and_shown(bench: Bench) -> None:
    save(bench, "pics/shot.png")
    await write(bench, "![The shot](pics/shot.png)")
    planned = bench.plan()
    assert planned.markup_sent_as_text == ()
    assert [(each.name, each.new) for each in planned.entries[0].changes[1:]] == [
        ("New attachment", "pics/shot.png, 8 bytes")
    ]

    result = await bench.push()

    assert (result.failed, result.warnings, result.updated) == ((), (), ("DEMO-1",))
    assert attached(bench, "DEMO-1") == {"shot.png": PNG}
    shot = media(bench, "DEMO-1", "shot.png")
    assert blocks(bench, "DEMO-1") == [p("one"), picture(shot, alt="The shot")]
    assert "one\n\n![The shot](attachment:shot.png)\n" in bench.text("DEMO-1")
    assert bench.plan().entries == ()
    before = bench.files()
    await bench.sync()
    assert bench.files() == before
    assert attached(bench, "DEMO-1") == {"shot.png": PNG}


async def test_pictures_in_a_draft_and_its_sub_task_follow_its_creation(bench: Bench) -> None:
    await bench.pull()
    save(bench, "new/a.png", b"a")
    save(bench, "new/b.png", b"b")
    draft = (
        "# TICKET: With pictures\n\n## Description\nabove\n\n![A](a.png){wide}\n\n"
        "## Acceptance Criteria\n- it shows\n\n## Tasks\n- Below\n  ## Description\n  ![](b.png)\n"
    )
    (bench.root / "new" / "draft.md").write_text(draft)
    assert [each.new for entry in bench.plan().entries for each in entry.changes][-1] == (
        "new/b.png, 1 byte"
    )

    result = await bench.push()

    assert (result.failed, result.warnings) == ((), ())
    first, second = result.created
    assert (attached(bench, first), attached(bench, second)) == ({"a.png": b"a"}, {"b.png": b"b"})
    above, shown, *criteria = blocks(bench, first)
    assert (above, len(criteria)) == (p("above"), 2)
    assert shown["attrs"] == {"layout": "wide"}
    assert shown["content"][0]["attrs"]["id"] == media(bench, first, "a.png")
    assert blocks(bench, second) == [picture(media(bench, second, "b.png"))]
    written = (bench.root / "new" / "draft.md").read_text()
    assert written.startswith(
        f"# TICKET: [{first}] With pictures\n\n## Description\nabove\n\n"
        "![A](attachment:a.png){wide}\n\n"
    )
    assert f"- [{second}] Below\n  ## Description\n  ![](attachment:b.png)\n" in written
    assert bench.plan().entries == ()
    assert (await bench.push()).pushed_issue_count == 0


@pytest.mark.parametrize(
    ("address", "reason"),
    [
        ("no-such-file.png", "is not a file beside the file of the ticket"),
        ("../outside.png", "leads out of the workspace"),
        ("/etc/hosts.png", "leads out of the workspace"),
        ("link.png", "leads out of the workspace"),
        (".hidden/shot.png", "leads out of the workspace, or to something hidden"),
        ("dotted.png", "leads out of the workspace, or to something hidden"),
        ("notes.txt", "is not a picture by its ending"),
        ("folder.png", "is not a plain file"),
        ("empty.png", "is an empty file"),
    ],
)
async def test_what_is_not_attached_is_a_warning_with_its_line(
    bench: Bench, address: str, reason: str
) -> None:
    (bench.root.parent / "outside.png").write_bytes(PNG)
    save(bench, ".hidden/shot.png")
    save(bench, "notes.txt")
    save(bench, "empty.png", b"")
    (bench.root / "folder.png").mkdir()
    (bench.root / "link.png").symlink_to(bench.root.parent / "outside.png")
    (bench.root / "dotted.png").symlink_to(bench.root / ".hidden" / "shot.png")
    await write(bench, f"![]({address})")
    (literal,) = bench.plan().markup_sent_as_text
    line = bench.text("DEMO-1").split("\n").index(f"![]({address})") + 1
    assert literal.reason.startswith(f"Description: DEMO-1.md:{line}: “{address}” {reason}")

    result = await bench.push()

    assert [each.reason for each in result.warnings] == [literal.reason]
    assert attached(bench, "DEMO-1") == {}
    assert result.updated == ("DEMO-1",)


async def test_names_and_contents_are_attached_once(bench: Bench) -> None:
    save(bench, "two words.png", b"1")
    save(bench, "a%20&b.png", b"2")
    save(bench, "sub/two words.png", b"3")
    save(bench, "copy.png", b"1")
    await write(
        bench,
        "![](two%20words.png)\n",
        "![](a%20&b.png)\n",
        "![](<sub/two words.png>)\n",
        "![](copy.png)\n",
        "![](<./two words.png>)\n",
        "![](https://example.com/x.png)",
    )

    result = await bench.push()

    assert (result.failed, result.warnings) == ((), ())
    assert attached(bench, "DEMO-1") == {
        "two words.png": b"1",
        "a_20_b.png": b"2",
        "two words (2).png": b"3",
    }
    found = bench.text("DEMO-1")
    assert found.count("![](<attachment:two words.png>)") == 3
    assert "![](<attachment:two words (2).png>)" in found
    assert "![](attachment:a_20_b.png)" in found
    assert "![](https://example.com/x.png)" in found


async def test_a_picture_that_was_there_before_is_never_attached(bench: Bench) -> None:
    """A clone that agrees with Jira must not choose files of this computer."""
    await write(bench, "![](shot.png)")
    assert (await bench.push()).updated == ("DEMO-1",)
    assert "![](shot.png)" in bench.text("DEMO-1")
    sent = blocks(bench, "DEMO-1")
    save(bench, "shot.png")
    bench.edits("DEMO-1", "\none\n", "\ntwo\n")

    assert (await bench.push()).updated == ("DEMO-1",)

    assert blocks(bench, "DEMO-1") == [p("two"), sent[1]]
    assert attached(bench, "DEMO-1") == {}


async def test_code_shows_no_picture(bench: Bench) -> None:
    save(bench, "shot.png")
    await write(bench, "`![](shot.png)`\n\n```\n![](shot.png)\n```\n\n!\\[](shot.png)")

    assert (await bench.push()).updated == ("DEMO-1",)

    assert attached(bench, "DEMO-1") == {}


async def test_a_picture_in_a_list_is_attached_and_one_among_words_is_refused(bench: Bench) -> None:
    save(bench, "shot.png")
    await write(bench, "- ![](shot.png)\n\nSee ![](shot.png) there.")
    (failed,) = (await bench.push()).failed
    assert "a paragraph of its own, with an empty line around it" in failed.reason
    assert "shot.png" in failed.reason
    assert attached(bench, "DEMO-1") == {}
    bench.edits("DEMO-1", "See ![](shot.png) there.", "See above.")

    assert (await bench.push()).failed == ()

    item = {"type": "listItem", "content": [picture(media(bench, "DEMO-1", "shot.png"))]}
    assert blocks(bench, "DEMO-1")[1] == {"type": "bulletList", "content": [item]}


async def test_a_file_that_the_site_does_not_take_holds_its_issue_back(bench: Bench) -> None:
    save(bench, "big.png", bytes(UPLOAD_LIMIT + 1))
    await write(bench, "![](big.png)")
    bench.edits("DEMO-1", "\none\n", "\ntwo\n")

    result = await bench.push()

    (failed,) = result.failed
    assert "it has 10,485,761 bytes; the site takes 10,485,760" in failed.reason
    assert blocks(bench, "DEMO-1") == [p("one")]
    assert bench.plan().entries != ()


async def test_a_picture_that_was_deleted_in_jira_is_attached_again(bench: Bench) -> None:
    save(bench, "shot.png")
    await write(bench, "![](shot.png)")
    await bench.push()
    (first,) = bench.finds("DEMO-1").attachments
    bench.site.detach("DEMO-1", first.id)
    describe(bench, "DEMO-1", p("one"))
    await bench.pull()
    bench.edits("DEMO-1", "\none\n", "\nonce more\n\n![](shot.png)\n")

    began = trio.current_time()
    assert (await bench.push()).failed == ()

    assert trio.current_time() == began  # nothing is late: Jira had answered
    (second,) = bench.finds("DEMO-1").attachments
    assert second.id != first.id
    assert blocks(bench, "DEMO-1")[1] == picture(media_id(second.id))


@pytest.mark.parametrize(
    ("method", "answer", "reason"),
    [
        (
            "attachment_settings",
            AttachmentSettings(enabled=False, max_upload_bytes=None),
            "attachments are switched off on this site",
        ),
        ("add_attachment", (), "the site took shot.png without naming it; push again"),
        ("media_id", "", "does not tell by which ID a description shows it"),
        ("add_attachment", OSError("the file became shorter"), "shot.png: the file became shorter"),
    ],
)
async def test_a_picture_that_is_not_attached_holds_its_issue_back(
    bench: Bench, monkeypatch: pytest.MonkeyPatch, method: str, answer: object, reason: str
) -> None:
    save(bench, "shot.png")
    await write(bench, "![](shot.png)")

    async def ask(*_: object) -> object:
        await trio.lowlevel.checkpoint()
        if isinstance(answer, OSError):
            raise answer
        return answer

    with monkeypatch.context() as broken:
        broken.setattr(JiraClient, method, ask)
        (failed,) = (await bench.push()).failed

    assert (failed.key, failed.code) == ("DEMO-1", Code.BAD_VALUE)
    assert failed.reason.startswith("Description: ")
    assert reason in failed.reason
    assert blocks(bench, "DEMO-1") == [p("one")]
    assert (await bench.push()).failed == ()
    assert attached(bench, "DEMO-1") == {"shot.png": PNG}


async def test_a_picture_that_is_gone_when_it_is_sent_holds_its_issue_back(
    bench: Bench, monkeypatch: pytest.MonkeyPatch
) -> None:
    save(bench, "shot.png")
    await write(bench, "![](shot.png)")
    settings = JiraClient.attachment_settings

    async def ask(jira: JiraClient) -> AttachmentSettings:
        (bench.root / "shot.png").unlink()
        return await settings(jira)

    monkeypatch.setattr(JiraClient, "attachment_settings", ask)

    (failed,) = (await bench.push()).failed

    assert "it is not a file beside the file of the ticket" in failed.reason
    assert blocks(bench, "DEMO-1") == [p("one")]


@pytest.mark.parametrize(("account", "content"), [("someone", PNG[::-1]), ("", PNG + b"more")])
async def test_another_attachment_of_the_name_is_not_taken_for_a_lost_answer(
    bench: Bench, account: str, content: bytes
) -> None:
    """The answer is lost, and the issue has then a file of somebody else or of another size."""
    save(bench, "shot.png")
    await write(bench, "![](shot.png)")
    lossy = Lossy(create_app(bench.site), once("POST", "issue/DEMO-1/attachments", "request"))
    assert (await bench.push(transport=lossy)).failed != ()
    attach(bench, "DEMO-1", "shot.png", content)
    (made,) = bench.finds("DEMO-1").attachments
    if account:
        bench.site.detach("DEMO-1", made.id)
        theirs = replace(made, author=replace(made.author, account_id=account))
        bench.site.attach("DEMO-1", [(theirs, content)])

    assert (await bench.push()).failed == ()

    assert attached(bench, "DEMO-1") == {"shot.png": content, "shot (2).png": PNG}


async def test_a_picture_that_was_confirmed_is_sent_and_another_one_is_not(bench: Bench) -> None:
    save(bench, "shot.png")
    await write(bench, "![](shot.png)")
    confirmed = bench.plan()
    save(bench, "shot.png", PNG + b"more")

    result = await bench.push(confirmed=confirmed)

    assert [each.code for each in result.left_alone] == [Code.NOT_IN_PLAN]
    assert attached(bench, "DEMO-1") == {}
    result = await bench.push(confirmed=bench.plan())
    assert (result.left_alone, result.failed, result.updated) == ((), (), ("DEMO-1",))
    assert attached(bench, "DEMO-1") == {"shot.png": PNG + b"more"}


LATENCY = 0.1
DRAFT = "# TICKET: A draft\n\n## Description\nabove\n\n![](b.png)\n"


@pytest.fixture(scope="module")
def scene(tmp_path_factory: pytest.TempPathFactory) -> Bench:
    """An edited ticket with a picture that is there twice, and a draft with another one."""
    bench = Bench(make_site(tickets=3, seed=1), tmp_path_factory.mktemp("scene") / "work")
    describe(bench, "DEMO-1", p("one"))
    run(bench.pull)
    for name in ("a.png", "b.png"):
        (bench.root / name).write_bytes(name.encode())
    bench.edits("DEMO-1", "\none\n", "\none\n\n![A](a.png)\n\n![](./a.png)\n")
    (bench.root / "draft.md").write_text(DRAFT)
    return bench


def attached_names(bench: Bench) -> list[str]:
    return sorted(each.name for issue in bench.site for each in issue.attachments)


def check(bench: Bench) -> None:
    """See that another sync leaves all as one undisturbed run does."""
    result = run(bench.sync)
    assert (result.push.failed, result.push.conflicts, result.pull.conflicts) == ((), (), ())
    assert attached_names(bench) == ["a.png", "b.png"]
    (draft,) = (each.key for each in bench.site if each.summary == "A draft")
    shown = {
        key: [
            each["content"][0]["attrs"]["id"]
            for each in blocks(bench, key)
            if each["type"] == "mediaSingle"
        ]
        for key in ("DEMO-1", draft)
    }
    ids = {key: media_id(bench.finds(key).attachments[0].id) for key in shown}
    assert shown == {"DEMO-1": [ids["DEMO-1"]] * 2, draft: [ids[draft]]}
    assert "![A](attachment:a.png)\n\n![](attachment:a.png)\n" in bench.text("DEMO-1")
    assert "above\n\n![](attachment:b.png)\n" in (bench.root / "draft.md").read_text()
    assert run(bench.push).pushed_issue_count == 0


def sweep(scene: Bench, root: Path, kind: type[Any], steps: Iterable[int]) -> None:
    cancel_at_each(steps, scene, root, kind, lambda bench, _: check(bench), latency=LATENCY)


def test_a_push_of_pictures_may_be_cancelled_at_any_of_a_sample_of_its_steps(
    scene: Bench, tmp_path: Path
) -> None:
    last = count_steps(scene, tmp_path, PushJob, LATENCY)

    sweep(scene, tmp_path, PushJob, random.Random(7).sample(range(last // 3, last), 6))


@pytest.mark.stress
@pytest.mark.timeout(3600)
@pytest.mark.parametrize("kind", [PushJob, SyncJob])
def test_a_push_of_pictures_may_be_cancelled_at_every_step(
    scene: Bench, tmp_path: Path, kind: type[Any]
) -> None:
    sweep(scene, tmp_path, kind, range(1, count_steps(scene, tmp_path, kind, LATENCY) + 1))


class Broken(Recorder):
    """Breaks the first requests of a kind, before or after the site has carried them out."""

    def __init__(
        self, app: Any, breaks: Callable[[str, str], bool], *, taken: bool, status: int, times: int
    ) -> None:
        super().__init__(app)
        self._breaks, self._taken, self._status, self._left = breaks, taken, status, times

    async def send(self, request: Request) -> Response:
        path = request.url.removeprefix(f"{URL}/rest/api/3/").partition("?")[0]
        if not self._left or not self._breaks(request.method, path):
            return await super().send(request)
        self._left -= 1
        if self._taken:
            await super().send(request)
        if self._status:
            answer = b'{"errorMessages": ["not now"], "errors": {}}'
            return Response(
                self._status, {"retry-after": "1", "content-type": "application/json"}, answer, path
            )
        raise ConnectionLost(request.url, "the cable was pulled")


def is_upload(method: str, path: str) -> bool:
    return method == "POST" and path.endswith("/attachments")


def is_edit(method: str, path: str) -> bool:
    return method == "PUT" and path.startswith("issue/")


def is_look_up(_: str, path: str) -> bool:
    return path.startswith("attachment/content/")


@pytest.mark.parametrize("taken", [True, False])
@pytest.mark.parametrize("status", [0, 429, 500, 413])
@pytest.mark.parametrize("breaks", [is_upload, is_edit, is_look_up])
def test_a_request_that_is_lost_or_refused_doubles_nothing(
    scene: Bench, tmp_path: Path, breaks: Callable[[str, str], bool], status: int, taken: bool
) -> None:
    bench = copy_scene(scene, tmp_path / "work")
    app = create_app(bench.site)
    run(bench.push, transport=Broken(app, breaks, taken=taken, status=status, times=2))

    check(bench)


class Unnamed(Recorder):
    """Answers the first upload without naming it; the site cannot be reached after that."""

    def __init__(self, app: Any) -> None:
        super().__init__(app)
        self._is_down = False

    async def send(self, request: Request) -> Response:
        if self._is_down:
            await trio.lowlevel.checkpoint()
            raise ConnectFailed(request.url, "no route")
        response = await super().send(request)
        if is_upload(request.method, request.url):
            self._is_down = True
            return replace(response, body=b"[]")
        return response


def test_a_picture_that_the_answer_does_not_name_is_not_attached_again(
    scene: Bench, tmp_path: Path
) -> None:
    bench = copy_scene(scene, tmp_path / "work")

    run(bench.push, transport=Unnamed(create_app(bench.site)))

    assert len(attached_names(bench)) == 1
    check(bench)


class CutOff(Recorder):
    """Cancels a scope once the site has the first picture, before its answer arrives."""

    def __init__(self, app: Any, scope: trio.CancelScope) -> None:
        super().__init__(app)
        self._scope = scope

    async def send(self, request: Request) -> Response:
        response = await super().send(request)
        if is_upload(request.method, request.url):
            self._scope.cancel()
            await trio.lowlevel.checkpoint()
        return response


def test_a_picture_whose_push_ended_before_the_answer_is_not_attached_again(
    scene: Bench, tmp_path: Path
) -> None:
    bench = copy_scene(scene, tmp_path / "work")

    async def cut_off() -> bool:
        with trio.CancelScope() as scope:
            await bench.push(transport=CutOff(create_app(bench.site), scope))
        return scope.cancelled_caught

    assert run(cut_off)
    assert len(attached_names(bench)) == 1
    check(bench)


def test_a_picture_that_a_gateway_finds_too_large_is_named_with_its_size(
    scene: Bench, tmp_path: Path
) -> None:
    bench = copy_scene(scene, tmp_path / "work")
    broken = Broken(create_app(bench.site), is_upload, taken=False, status=413, times=1)

    (note,) = run(bench.push, transport=broken).failed

    assert "(413: a.png has 5 bytes (Jira names 10,485,760 bytes as its limit)" in note.reason


class Late(Recorder):
    """A gateway that gives up on the first upload, which the site gets some seconds later.

    It loses the connection, or answers with a web page of a status.
    """

    def __init__(self, app: Any, nursery: trio.Nursery, seconds: float, status: int) -> None:
        super().__init__(app)
        self._app = app
        self._status = status
        self._nursery, self._seconds = nursery, seconds
        self._is_lost = False

    async def send(self, request: Request) -> Response:
        if self._is_lost or request.source is None:
            return await super().send(request)
        self._is_lost = True
        body = b"".join([piece async for piece in request.source.body_pieces()])
        self._nursery.start_soon(self._deliver, replace(request, body=body, source=None))
        if self._status:
            return Response(self._status, {"content-type": "text/html"}, b"<html>", request.url)
        raise ConnectionLost(request.url, "the cable was pulled")

    async def _deliver(self, request: Request) -> None:
        await trio.sleep(self._seconds)
        async with Recorder(self._app) as wire:  # the job's own is closed
            await wire.send(request)


@pytest.mark.parametrize("status", [0, 403])
def test_a_picture_that_arrives_late_is_not_attached_again(
    scene: Bench, tmp_path: Path, status: int
) -> None:
    bench = copy_scene(scene, tmp_path / "work")

    async def push_twice() -> float:
        async with trio.open_nursery() as nursery:
            late = Late(create_app(bench.site), nursery, seconds=29.0, status=status)
            assert len((await bench.push(transport=late)).failed) == 1
            again = trio.current_time()
            assert (await bench.push(lost_request_life_seconds=30.0)).failed == ()
            ended = trio.current_time()
        return ended - again

    assert run(push_twice) == pytest.approx(30.0)
    check(bench)
