"""A web server on a real socket that answers as a Jira Data Center does, as far as a login goes."""

from __future__ import annotations

import json
import threading
from collections.abc import Generator
from contextlib import contextmanager
from dataclasses import dataclass, field
from functools import partial
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

LOGIN_PAGE = b"<!DOCTYPE html><html><head><title>Log in - Jira</title></head></html>"
LOST_PAGE = b"<!doctype html><html><head><title>HTTP Status 404</title></head></html>"


@dataclass
class DataCenter:
    """A site; only version 2 of the REST API exists there.

    Attributes:
        version: Jira's version.
        path: The context path, such as ``/jira``.
        takes_login: Whether it accepts the login; else it answers 401 with the login page.
        paths: The path of each request.
        with_login: The paths of the requests that had a login.
        url: The address of the machine, without the context path.
    """

    version: str = "9.12.4"
    path: str = ""
    takes_login: bool = True
    paths: list[str] = field(default_factory=list)
    with_login: list[str] = field(default_factory=list)
    url: str = ""

    def answer(self, path: str) -> tuple[int, str, bytes, dict[str, str]]:
        """Return the status, the kind, the body and further headers of the answer to a path."""
        api = f"{self.path}/rest/api/"
        if path == f"{api}2/serverInfo":
            info = {
                "baseUrl": f"{self.url}{self.path}",
                "version": self.version,
                "versionNumbers": [int(part) for part in self.version.split(".")],
                "deploymentType": "Server",
                "buildNumber": 9120004,
                "serverTitle": "Jira",
            }
            return 200, "application/json;charset=UTF-8", json.dumps(info).encode(), {}
        if path.startswith(api) and not self.takes_login:
            reason = {"X-Seraph-LoginReason": "AUTHENTICATED_FAILED"}
            return 401, "text/html;charset=UTF-8", LOGIN_PAGE, reason
        return 404, "text/html;charset=utf-8", LOST_PAGE, {}


@contextmanager
def data_center(site: DataCenter) -> Generator[str]:
    """Run a site on a free port; yield the address of its machine."""

    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def do_GET(self) -> None:
            self.rfile.read(int(self.headers.get("content-length", 0)))
            path = self.path.partition("?")[0]
            site.paths.append(path)
            if self.headers.get("authorization"):
                site.with_login.append(path)
            status, kind, body, more = site.answer(path)
            self.send_response(status)
            for name, value in {"Content-Type": kind, **more}.items():
                self.send_header(name, value)
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        do_POST = do_PUT = do_GET  # noqa: N815 - the names of the base class

        def log_message(self, *_: object) -> None:
            pass

    with ThreadingHTTPServer(("127.0.0.1", 0), Handler) as server:
        server.daemon_threads = True
        site.url = f"http://127.0.0.1:{server.server_port}"
        serve = partial(server.serve_forever, poll_interval=0.02)
        thread = threading.Thread(target=serve)  # noqa: TID251 - the tests that use it are synchronous
        thread.start()
        try:
            yield site.url
        finally:
            server.shutdown()
            thread.join()
