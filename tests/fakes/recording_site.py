"""A site in its own process that accepts any login and records the requests."""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Generator
from contextlib import contextmanager
from dataclasses import dataclass
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

ANSWERS: dict[str, dict[str, str]] = {
    "/rest/api/3/myself": {"accountId": "1", "displayName": "Mia\x1b[2J", "emailAddress": ""},
    "/rest/api/3/project/DEMO": {"id": "1", "key": "DEMO", "name": "The demo"},
}


@dataclass(frozen=True)
class RecordingSite:
    """The address of a site, and the path and login of each request."""

    url: str
    log: Path

    def asked(self) -> list[tuple[str, str]]:
        return [tuple(json.loads(line)) for line in self.log.read_text().splitlines()]

    def logins(self) -> set[str]:
        return {login for _, login in self.asked()}


class Handler(BaseHTTPRequestHandler):
    log = Path(sys.argv[1] if len(sys.argv) > 1 else ".")

    def answer(self) -> None:
        login = self.headers["Authorization"]
        with self.log.open("a") as log:
            print(json.dumps([self.path, login]), file=log)
        self.rfile.read(int(self.headers["Content-Length"] or 0))
        known = ANSWERS.get(self.path)
        said: object = known or {"errorMessages": [f"I do not know {self.path}, dear {login}"]}
        body = json.dumps(said).encode()
        self.send_response(200 if known else 400)
        self.send_header("Content-Length", str(len(body)))
        self.send_header("Content-Type", "application/json")
        self.end_headers()
        self.wfile.write(body)

    do_GET = do_POST = answer  # noqa: N815 - what the base class asks for

    def log_message(self, *_: object) -> None:
        """Print nothing."""


@contextmanager
def recording_site(folder: Path) -> Generator[RecordingSite]:
    """Start the site; it records the requests in a file in a folder."""
    log = folder / "asked.jsonl"
    log.touch()
    command = [sys.executable, "-S", __file__, str(log)]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        try:
            yield RecordingSite(process.stdout.readline().strip(), log)
        finally:
            process.kill()


if __name__ == "__main__":
    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    print(f"http://127.0.0.1:{server.server_port}", flush=True)  # noqa: T201 - its parent reads it
    server.serve_forever()
