"""How the package is installed: the one place that says so, for every message and page.

Before the first release nobody owns the names, and whoever registers them could run code on the
machines of readers: until then, everything installs from a clone. `make release` sets `IS_ON_PYPI`
and writes the pages again (docs/install_blocks.py).
"""

from __future__ import annotations

#: Whether ``ticketr`` and ``jira-sandbox`` have been published on PyPI.
IS_ON_PYPI = False


def missing_packages_message(part: str, extra: str, *, released: bool = IS_ON_PYPI) -> str:
    """Return the sentence that a part of the program needs the packages of an extra."""
    where = "" if released else "in a clone of ticketr, "
    return f"{part} needs more packages: {where}run: {install_command(extra, released=released)}"


def install_command(extra: str, *, released: bool = IS_ON_PYPI) -> str:
    """Return the command that installs the package with an extra; in a clone before the release."""
    sandbox = "./sandbox " if extra == "demo" and not released else ""  # it is in the clone, too
    name = "ticketr" if released else "."
    return f"pip install {sandbox}'{name}[{extra}]'"
