from __future__ import annotations

import signal
import socket
import subprocess
import time
from contextlib import contextmanager
from typing import TYPE_CHECKING

import httpx
import pytest
from fakes.processes import PROGRAM, sandbox_process, ticketr

if TYPE_CHECKING:
    from collections.abc import Generator
    from pathlib import Path

AUTH = ("demo@example.com", "demo")


def test_faults_make_the_sandbox_hostile() -> None:
    with (
        sandbox_process(tickets=1, arguments=["--faults", "429=0.5,500=0.5,seed=2"]) as url,
        httpx.Client(base_url=f"{url}/rest/api/3/", auth=AUTH, trust_env=False) as client,
    ):
        statuses = {client.get("myself").status_code for _ in range(20)}

    assert statuses == {429, 500}


def test_faults_that_are_not_understood_end_with_2_and_the_names_of_those_that_are(
    tmp_path: Path,
) -> None:
    ended = ticketr("sandbox", "--faults", "404=1", folder=tmp_path)

    assert ended.returncode == 2
    assert "'404' is none of all, 429, 500, 502, 503, html, drop, lost" in ended.stderr


@contextmanager
def child(*arguments: str) -> Generator[tuple[subprocess.Popen[str], str]]:
    """The sandbox's own process and its address."""
    command = [*PROGRAM, "sandbox", *arguments]
    with subprocess.Popen(
        command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
    ) as process:
        try:
            assert process.stdout is not None
            line = process.stdout.readline()
            assert line.startswith("listening on "), (line, process.communicate())
            yield process, line.removeprefix("listening on ").strip()
        finally:
            process.kill()


def test_a_hang_does_not_keep_the_sandbox_from_ending_with_0() -> None:
    with (
        child("--tickets=1", "--faults=hang=1") as (process, url),
        socket.create_connection(("127.0.0.1", int(url.rsplit(":", 1)[1]))) as waiting,
    ):
        waiting.sendall(b"GET /rest/api/3/myself HTTP/1.1\r\nhost: x\r\n\r\n")
        waiting.settimeout(0.3)
        with pytest.raises(TimeoutError):
            waiting.recv(1)
        before = time.monotonic()
        process.send_signal(signal.SIGTERM)
        _, errors = process.communicate(timeout=20)

    assert time.monotonic() - before < 5
    assert (process.returncode, errors) == (0, "")
