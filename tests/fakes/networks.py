"""A second machine, as far as the network goes: a namespace at the end of a virtual cable."""

from __future__ import annotations

import os
import subprocess
from contextlib import contextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from collections.abc import Iterator


@dataclass(frozen=True)
class Network:
    """A cable between this machine and another one.

    Attributes:
        name: The namespace of the other machine.
        address: This machine's address on the cable.
    """

    name: str
    address: str

    def command(self, *words: str) -> list[str]:
        """Return the command that runs another one on the other machine."""
        return ["ip", "netns", "exec", self.name, *words]

    def pull(self) -> None:
        """Pull the cable out: nothing arrives any more, and neither side is told."""
        _ip("link", "set", self.name, "down")

    def plug(self) -> None:
        """Put the cable back."""
        _ip("link", "set", self.name, "up")


@contextmanager
def open_network() -> Iterator[Network]:
    """Lay a cable to a new machine; skip the test where that is not permitted."""
    number = os.getpid() % 250
    name, here, there = f"ticketr{number}", f"10.231.{number}.1", f"10.231.{number}.2"
    try:
        _ip("netns", "add", name)
    except (OSError, subprocess.CalledProcessError) as error:
        pytest.skip(f"network namespaces are not permitted here: {error}")
    try:
        _ip("link", "add", name, "type", "veth", "peer", "name", "cable", "netns", name)
        _ip("address", "add", f"{here}/30", "dev", name)
        _ip("link", "set", name, "up")
        _ip("-n", name, "address", "add", f"{there}/30", "dev", "cable")
        _ip("-n", name, "link", "set", "cable", "up")
        yield Network(name, here)
    finally:
        _ip("netns", "delete", name)


def _ip(*words: str) -> None:
    subprocess.run(["ip", *words], check=True, capture_output=True)
