"""Test the pages by HTTP, over the jobs of a queue in this process."""

from __future__ import annotations

import re
from contextlib import asynccontextmanager
from functools import partial
from typing import TYPE_CHECKING

import httpx
import pytest
import trio
from fakes.page_sources import TOKEN, Source

from ticketr import JobContext, JobStatus, open_job_queue
from ticketr.cluster import ClusterMisconfigured
from ticketr.cluster.web import _pages, address_of, listen, read_bind, read_token, serve
from ticketr.cluster.web._login import Token

if TYPE_CHECKING:
    from collections.abc import AsyncGenerator

BEARER = {"Authorization": f"Bearer {TOKEN}"}
PAGE = {"Accept": "text/html,*/*;q=0.8"}


class Silent(Source):
    """The jobs of a server that is away."""

    async def totals(self) -> dict[JobStatus, int]:
        await trio.sleep_forever()


@asynccontextmanager
async def served(source: Source, **options: object) -> AsyncGenerator[httpx.AsyncClient]:
    """Serve the pages; give a client that may see them."""
    async with trio.open_nursery() as nursery:
        listener = await listen("127.0.0.1", 0)
        run = partial(serve, listener, source, "<i>reports</i>", Token(TOKEN))
        nursery.start_soon(run)
        base = address_of(listener)
        async with httpx.AsyncClient(base_url=base, headers=BEARER) as client:
            yield client
        nursery.cancel_scope.cancel()


async def half(context: JobContext) -> None:
    context.report(current=30, total=60, message="<b>half</b>\033[31m")
    await trio.sleep_forever()


async def value(context: JobContext) -> object:
    return {"<k>": [1, "é"]}


async def fail(context: JobContext) -> None:
    raise ValueError("<script>alert(1)</script>")


def text_of(page: httpx.Response) -> str:
    """Return what a page shows, its tags left out."""
    return re.sub(r"\s+", " ", re.sub(r"<[^>]*>", " ", page.text))


async def test_the_queue_shows_each_job_with_its_progress() -> None:
    async with open_job_queue(workers=1, on_job_error=lambda _: None) as queue:
        await (await queue.submit(value, id="done/1 ?#", name="<u>name</u>")).wait()
        with queue.progress() as updates:
            await queue.submit(half, id="r")
            await queue.submit(value, id="p")
            await anext(aiter(updates))
        async with served(Source(queue)) as client:
            page = await client.get("/queue")

            assert page.status_code == 200
            assert "pending 1 running 1 completed 1 failed 0 cancelled 0" in text_of(page)
            assert "half running" in text_of(page)
            assert '<progress max="100" value="50.0"></progress>\n30/60\n' in page.text
            assert "&lt;b&gt;half&lt;/b&gt;" in page.text
            assert "waits for worker" in page.text
            assert "&lt;u&gt;name&lt;/u&gt;" in page.text
            assert "&lt;i&gt;reports&lt;/i&gt; | ticketr</title>" in page.text
            assert "\033" not in page.text
            link = re.search(r'href="(/job/done[^"]*)"', page.text)
            assert link is not None
            assert link[1] == "/job/done%2F1%20%3F%23"
            assert "done/1 ?#" in (await client.get(link[1])).text
        queue.cancel_all()


async def test_the_queue_can_be_filtered_by_status_and_by_name() -> None:
    async with open_job_queue(on_job_error=lambda _: None) as queue:
        for job in (value, fail):
            await (await queue.submit(job)).wait()
        async with served(Source(queue)) as client:

            async def names(query: str) -> set[str]:
                page = await client.get(f"/queue{query}")
                return {name for name in ("value", "fail") if f"<td>{name}</td>" in page.text}

            assert await names("") == {"value", "fail"}
            assert await names("?status=failed") == {"fail"}
            assert await names("?name=value&status=") == {"value"}
            assert await names("?status=nonsense") == {"value", "fail"}
            assert await names("?status=cancelled") == set()
            page = await client.get("/queue?name=value&status=completed")
            assert 'hx-get="/queue?name=value&amp;status=completed"' in page.text
            assert '<option value="completed" selected>' in page.text


async def test_the_page_of_a_job_shows_its_result_or_its_error() -> None:
    async with open_job_queue(on_job_error=lambda _: None) as queue:
        await (await queue.submit(value, id="v", key="k", tags={"b", "a"})).wait()
        await (await queue.submit(fail, id="f")).wait()
        async with served(Source(queue)) as client:
            good, bad = await client.get("/job/v"), await client.get("/job/f")

            assert "{\n  &#34;&lt;k&gt;&#34;: [\n    1,\n    &#34;é&#34;\n  ]\n}" in good.text
            assert "Key k Tags a, b Submitted 20" in text_of(good)
            assert "hx-delete" not in good.text
            assert "ValueError: &lt;script&gt;alert(1)&lt;/script&gt;" in bad.text
            assert "Traceback (most recent call last)" in bad.text
            assert "<script>alert" not in bad.text


async def test_a_huge_result_is_cut() -> None:
    async def huge(context: JobContext) -> str:
        return "x" * 30_000

    async with open_job_queue() as queue:
        await (await queue.submit(huge, id="h")).wait()
        async with served(Source(queue)) as client:
            page = await client.get("/job/h")

    assert "xxx\n... (30,002 characters)</pre>" in page.text


async def test_the_button_cancels_and_says_what_came_of_it() -> None:
    async with open_job_queue(workers=1) as queue:
        running = await queue.submit(half, id="r")
        waiting = await queue.submit(half, id="w")
        async with served(Source(queue)) as client:
            page = await client.get("/job/r")
            assert 'hx-delete="/job/r" hx-confirm="Cancel this job?"' in page.text

            stopped = await client.delete("/job/w")
            asked = await client.delete("/job/r")
            await running.wait()
            over = await client.delete("/job/r")
            unknown = await client.delete("/job/nothing")

            assert "The job was pending. It is cancelled now, and will not be run." in stopped.text
            assert "The job runs. It was asked to stop." in asked.text
            assert "The job had ended already." in over.text
            assert "Cause user" in text_of(over)
            assert unknown.status_code == 404
            assert "The queue knows no such job" in unknown.text
        assert waiting.status is JobStatus.CANCELLED


async def test_the_workers_are_listed() -> None:
    async with open_job_queue() as queue, served(Source(queue)) as client:
        page = await client.get("/workers")

    assert "w1 host 7 &lt;4&gt; 2 10.0 s" in text_of(page)


async def test_the_schedule_shows_pauses_rates_and_repeats() -> None:
    async with open_job_queue() as queue, served(Source(queue)) as client:
        page = await client.get("/schedule")

    text = text_of(page)
    assert "the queue paused a job every 0.1 s, 10 at once" in text
    assert "key held paused Repeats" in text
    assert "12 3 now job runs now 1 0 held job paused 0 0" in text
    assert "2026-11-28 02:00:00 failed 2026-11-27 02:00:07 12 3" in text
    assert "key <q>&lt;b&gt;k&lt;/b&gt;</q>" in page.text
    assert "<td>&lt;i&gt;night&lt;/i&gt;#1?</td>" in page.text
    assert "<td>&lt;u&gt;job&lt;/u&gt;</td>" in page.text
    assert "\033" not in page.text
    assert 'href="/job/%3Ci%3Enight%3C%2Fi%3E%1B%5D0%3Bx%07%231%3F%2312"' in page.text


async def test_a_server_that_is_away_is_told(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(_pages, "PATIENCE", 0.05)
    async with open_job_queue() as queue, served(Silent(queue)) as client:
        page = await client.get("/queue")

    assert page.status_code == 503
    assert page.text == "The queue's server gives no answer for 0.05 s.\n"


async def test_the_pages_need_nothing_from_the_net() -> None:
    async with open_job_queue() as queue, served(Source(queue)) as client:
        page = await client.get("/queue")
        del client.headers["Authorization"]
        links = re.findall(r'(?:src|href)="([^"]+)"', page.text)
        files = {link: await client.get(link) for link in links if link.startswith("/assets/")}
        missing = await client.get("/assets/other.js")

    assert not [link for link in links if not link.startswith("/") and link != "data:,"]
    assert {link: file.headers["content-type"] for link, file in files.items()} == {
        "/assets/bootstrap.min.css": "text/css; charset=utf-8",
        "/assets/htmx.min.js": "text/javascript; charset=utf-8",
    }
    assert all(len(file.content) > 50_000 for file in files.values())
    assert missing.status_code == 404


async def test_every_answer_tells_the_browser_to_trust_nobody() -> None:
    async with open_job_queue() as queue, served(Source(queue)) as client:
        answers = [await client.get(path) for path in ("/queue", "/login", "/nothing")]

    for answer in answers:
        policy = answer.headers["content-security-policy"]
        assert policy.startswith("default-src 'none'; style-src 'self'; script-src 'self';")
        assert answer.headers["cache-control"] == "no-store"
        assert answer.headers["x-content-type-options"] == "nosniff"


@pytest.mark.parametrize(
    "headers",
    [
        {},
        {"Authorization": "Bearer"},
        {"Authorization": "Bearer another token, which is wrong"},
        {"Authorization": "Basic dGhlIHRva2VuIG9mIHRoZSB0ZXN0cw=="},
        {"Cookie": f"{Token(TOKEN).cookie}={TOKEN}"},
        {"Cookie": f"other={Token(TOKEN).session}"},
        {"Accept": "text/html", "HX-Request": "true"},
    ],
)
async def test_without_the_token_nothing_is_shown_or_done(headers: dict[str, str]) -> None:
    async with open_job_queue() as queue:
        job = await queue.submit(half, id="r")
        async with served(Source(queue)) as client:
            del client.headers["Authorization"]
            for method in ("GET", "DELETE", "POST"):
                answer = await client.request(method, "/job/r", headers=headers)

                assert answer.status_code == 401
                assert answer.text == "Send the token: Authorization: Bearer TOKEN\n"
                assert answer.headers["www-authenticate"] == "Bearer"
        assert not job.snapshot().cancel_requested
        queue.cancel_all()


async def test_a_browser_logs_in_and_out() -> None:
    async with open_job_queue() as queue, served(Source(queue)) as client:
        del client.headers["Authorization"]

        asked = await client.get("/", headers=PAGE)
        assert (asked.status_code, asked.headers["location"]) == (303, "/login")
        form = await client.get("/login", headers=PAGE)
        assert 'name="token" type="password"' in form.text
        wrong = await client.post("/login", data={"token": "wrong"})
        assert (wrong.status_code, wrong.cookies) == (401, httpx.Cookies())
        assert "This is not the token." in wrong.text

        right = await client.post("/login", data={"token": f" {TOKEN}\n"})
        assert (right.status_code, right.headers["location"]) == (303, "/")
        cookie = right.headers["set-cookie"]
        assert "HttpOnly" in cookie
        assert "SameSite=strict" in cookie
        assert TOKEN not in cookie
        shown = await client.get("/", headers=PAGE, follow_redirects=True)
        assert (shown.status_code, shown.url.path) == (200, "/queue")

        left = await client.get("/logout", headers=PAGE)
        assert left.headers["location"] == "/login"
        assert (await client.get("/queue")).status_code == 401


async def test_a_long_form_is_refused() -> None:
    async with open_job_queue() as queue, served(Source(queue)) as client:
        answer = await client.post("/login", data={"token": "x" * 5000})

    assert answer.status_code == 413


async def test_a_socket_of_the_web_is_refused() -> None:
    async with open_job_queue() as queue, served(Source(queue)) as client:
        answer = await client.get(
            "/queue",
            headers={
                "Connection": "Upgrade",
                "Upgrade": "websocket",
                "Sec-WebSocket-Version": "13",
                "Sec-WebSocket-Key": "dGhlIHNhbXBsZSBub25jZQ==",
            },
        )

    assert answer.status_code >= 400


async def test_a_port_in_use_is_told() -> None:
    async with open_job_queue() as queue, served(Source(queue)) as client:
        with pytest.raises(ClusterMisconfigured) as caught:
            await listen("127.0.0.1", client.base_url.port or 0)

    assert caught.value.problem == "it cannot be listened on: Address already in use"


def test_a_token_is_given_or_made() -> None:
    made, is_new = read_token({})
    given, is_other = read_token({"TICKETR_CLUSTER_WEB_TOKEN": TOKEN})

    assert (is_new, is_other) == (True, False)
    assert len(made.value) == 32
    assert given == Token(TOKEN)
    assert TOKEN not in repr(given)
    with pytest.raises(ClusterMisconfigured, match="a token has at least 16 characters"):
        read_token({"TICKETR_CLUSTER_WEB_TOKEN": "short"})


@pytest.mark.parametrize(
    ("text", "bind"),
    [
        ("127.0.0.1:8000", ("127.0.0.1", 8000)),
        ("localhost:0", ("localhost", 0)),
        ("[::1]:81", ("::1", 81)),
    ],
)
def test_an_address_of_this_machine_is_taken(text: str, bind: tuple[str, int]) -> None:
    assert read_bind(text, allow_plaintext=False) == bind


@pytest.mark.parametrize(
    "text", ["", "8000", "localhost", ":8000", "localhost:x", "localhost:65536"]
)
def test_another_form_of_address_is_refused(text: str) -> None:
    with pytest.raises(ClusterMisconfigured, match="write HOST:PORT"):
        read_bind(text, allow_plaintext=True)


def test_other_machines_have_to_be_allowed() -> None:
    with pytest.raises(ClusterMisconfigured, match=r"can read the token: keep to 127\.0\.0\.1"):
        read_bind("0.0.0.0:8000", allow_plaintext=False)
    assert read_bind("0.0.0.0:8000", allow_plaintext=True) == ("0.0.0.0", 8000)
