"""What the package's page in a registry shows: links that lead to the repository.

Its address is in pyproject.toml, once.
"""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

from hatchling.metadata.plugin.interface import MetadataHookInterface

_PICTURE = re.compile(r"(!\[[^\]]*\]\()(?!https?:)")
_LINK = re.compile(r"(\]\()(?!https?:|#)")


class Links(MetadataHookInterface):
    """Adds the readme and the addresses of the project to the metadata."""

    def update(self, metadata: dict[str, Any]) -> None:
        """Add the readme, with absolute links, and the addresses."""
        root, repository = Path(self.root), str(self.config["repository"])
        source = (root / "src/ticketr/_version.py").read_text("utf-8")
        tag = "v" + source.rpartition("__version__ = ")[2].strip().strip('"')
        metadata["readme"] = {
            "content-type": "text/markdown",
            "text": with_absolute_links((root / "README.md").read_text("utf-8"), repository, tag),
        }
        metadata["urls"] = {
            "Documentation": f"{repository}/blob/{tag}/docs/index.md",
            "Source": repository,
            "Changelog": f"{repository}/blob/{tag}/CHANGELOG.md",
            "Issues": f"{repository}/issues",
        }


def with_absolute_links(readme: str, repository: str, tag: str) -> str:
    """Return a readme whose links and pictures do without the repository around it."""
    readme = _PICTURE.sub(rf"\g<1>{repository}/raw/{tag}/", readme)
    return _LINK.sub(rf"\g<1>{repository}/blob/{tag}/", readme)
