"""RabbitMQ for tests: a node in a folder of its own, without systemd."""

from __future__ import annotations

import os
import pwd
import shutil
import socket
import subprocess
import tempfile
import threading
from pathlib import Path
from typing import Any, Final

import pytest
from free_ports import free_port
from kombu import pools

PROGRAM: Final = "/usr/lib/rabbitmq/bin/rabbitmq-server"
"""Debian's script without its wrapper, which wants root or the user ``rabbitmq``."""
ADDRESS: Final = "127.0.0.1"


class RabbitMQ:
    """A node on loopback, with an ``epmd`` of its own; as the user ``rabbitmq`` if root may."""

    def __init__(self) -> None:
        if not Path(PROGRAM).exists():
            pytest.skip("needs RabbitMQ: the package rabbitmq-server of Debian")
        self.folder = Path(tempfile.mkdtemp(prefix="rabbitmq-"))
        self._user = _owner()
        if self._user:
            shutil.chown(self.folder, **self._user)
        self.port, names = free_port(), str(free_port())
        environment = {
            "HOME": str(self.folder),
            "PATH": "/usr/local/bin:/usr/bin:/bin",
            "LANG": "C.UTF-8",
            "ERL_EPMD_ADDRESS": ADDRESS,
            "ERL_EPMD_PORT": names,
            "RABBITMQ_NODENAME": f"tests{self.port}@localhost",
            "RABBITMQ_NODE_IP_ADDRESS": ADDRESS,
            "RABBITMQ_NODE_PORT": str(self.port),
            "RABBITMQ_DIST_PORT": str(free_port()),
            "RABBITMQ_MNESIA_BASE": str(self.folder / "data"),
            "RABBITMQ_LOG_BASE": str(self.folder / "log"),
            "RABBITMQ_ENABLED_PLUGINS_FILE": str(self.folder / "plugins"),
            "RABBITMQ_CONFIG_FILE": str(self.folder / "config"),
            "RABBITMQ_CONF_ENV_FILE": os.devnull,
            "RABBITMQ_PID_FILE": str(self.folder / "pid"),
            # Not to keep a core busy while there is nothing to do.
            "RABBITMQ_SERVER_ADDITIONAL_ERL_ARGS": "+sbwt none +sbwtdcpu none +sbwtdio none",
        }
        self._options: dict[str, Any] = {
            **(self._user and {**self._user, "extra_groups": []}),
            "env": environment,
            "cwd": self.folder,
            "stdin": subprocess.DEVNULL,
            "stdout": (self.folder / "output").open("ab"),
            "stderr": subprocess.STDOUT,
        }
        # Otherwise the node starts one that outlives it.
        self._names = subprocess.Popen(
            ["epmd", "-address", ADDRESS, "-port", names], **self._options
        )
        self._node: subprocess.Popen[bytes] | None = None
        self.start()

    @property
    def url(self) -> str:
        return f"amqp://guest:guest@{ADDRESS}:{self.port}//"

    def start(self) -> None:
        """Start the node, and wait until it takes connections."""
        self._node = subprocess.Popen([PROGRAM], **self._options)
        while not self._answers():
            output = (self.folder / "output").read_text(errors="replace")
            assert self._node.poll() is None, f"RabbitMQ does not start:\n{output}"
            threading.Event().wait(0.05)

    def _answers(self) -> bool:
        try:
            with socket.create_connection((ADDRESS, self.port), 5) as line:
                line.sendall(b"AMQP\x00\x00\x09\x01")
                return line.recv(1) == b"\x01"
        except OSError:
            return False

    def stop(self) -> None:
        """End the node; its data stays."""
        if self._node is not None:
            self._node.terminate()
            self._node.wait()
            self._node = None

    def close(self) -> None:
        """End the node for good, and the connections to it that Celery keeps."""
        for pool in pools.connections.values():  # tests of another node go on with theirs
            if pool.connection.port == self.port:
                pool.force_close_all()
        self.stop()
        self._names.terminate()
        self._names.wait()
        self._options["stdout"].close()
        shutil.rmtree(self.folder)


def _owner() -> dict[str, str]:
    """Return the user and group of the package, if this process may become them."""
    try:
        pwd.getpwnam("rabbitmq")
    except KeyError:
        return {}
    return {"user": "rabbitmq", "group": "rabbitmq"} if os.geteuid() == 0 else {}
