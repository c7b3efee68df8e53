"""How the package is installed: the one place in the code that says so, as README.md does in prose.

The name is not registered, and whoever registers it would run code on the machines of readers. So
until the first release, every message and page installs from a clone.
"""

from __future__ import annotations


def missing_packages(extra: str) -> str:
    """Return the end of a sentence about a part that needs the packages of an extra."""
    return f"needs more packages: in a clone of ticketr, run: {install_command(extra)}"


def install_command(extra: str) -> str:
    """Return the command that installs the package with an extra, in a clone."""
    sandbox = "./sandbox " if extra == "demo" else ""  # what the extra needs is in the clone, too
    return f"pip install {sandbox}'.[{extra}]'"
