"""Write how to install ticketr into the pages: from a clone, or by name after the release.

A block of a page begins with `<!-- install: NAME -->` and ends with `<!-- end -->`; in YAML these are
comments. To write all pages again: `.venv/bin/python docs/install_blocks.py`
"""

from __future__ import annotations

import re
from pathlib import Path

from ticketr._install import IS_ON_PYPI

ROOT = Path(__file__).parent.parent
_BLOCK = re.compile(r"((?:<!--| *#) install: ([\w-]+)(?: -->)?\n).*?((?:<!--| *#) end)", re.DOTALL)

#: Each block from a clone, and after the release.
BLOCKS = {
    "where": (
        """\
There is no release yet, and the names `ticketr` and `jira-sandbox` in package registries are not
ours: do not install them by name. Clone this repository, and run the commands in the clone.
""",
        "",
    ),
    "library": (
        """\
```console
$ pip install .                    # the queue and Trio, nothing else
$ pip install '.[statusline]'      # with the status line
```
""",
        """\
```console
$ pip install ticketr                # the queue and Trio, nothing else
$ pip install 'ticketr[statusline]'  # with the status line
```
""",
    ),
    "app": (
        """\
```console
$ python3 -m venv ~/.venvs/ticketr && . ~/.venvs/ticketr/bin/activate
$ pip install ./sandbox '.[demo]'
$ ticketr demo
```

With uv, `uv tool install --with ./sandbox '.[demo]'` does what the first two lines do.
""",
        """\
```console
$ uv tool install 'ticketr[demo]'   # or: pipx install 'ticketr[demo]'
$ ticketr demo
```
""",
    ),
    "upgrade": (
        """\
```console
$ git pull && . ~/.venvs/ticketr/bin/activate
$ pip install --upgrade ./sandbox '.[demo]'
```
""",
        """\
```console
$ uv tool upgrade ticketr           # or: pipx upgrade ticketr
```
""",
    ),
    "sandbox": (
        """\
There is no release yet, and the name `jira-sandbox` in package registries is not ours: do not
install it by name. With Python 3.11 to 3.14, in a clone of ticketr's repository:

```console
$ pip install ./sandbox
```
""",
        """\
With Python 3.11 to 3.14:

```console
$ pip install jira-sandbox
```
""",
    ),
    "ci": (
        """\
      - uses: actions/checkout@v7
        with: {repository: OWNER/ticketr, ref: COMMIT, path: .ticketr-source, persist-credentials: false}
      - run: pip install './.ticketr-source[app]' && rm -r .ticketr-source
""",
        """\
      - run: pip install 'ticketr[app]==0.1.*'
""",
    ),
}


def written(page: str, *, released: bool = IS_ON_PYPI) -> str:
    """Return a page with its blocks as they have to be."""
    return _BLOCK.sub(lambda block: f"{block[1]}{BLOCKS[block[2]][released]}{block[3]}", page)


def pages() -> list[Path]:
    """Return the pages that may have blocks."""
    return sorted([*ROOT.glob("*.md"), *ROOT.glob("docs/**/*.md"), *ROOT.glob("*/README.md")])


if __name__ == "__main__":
    for path in pages():
        path.write_text(written(path.read_text(encoding="utf-8")), encoding="utf-8")
