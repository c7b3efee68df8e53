"""Read files from a body of the type ``multipart/form-data``."""

from __future__ import annotations

import mimetypes
import re
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Final
from urllib.parse import unquote

_BOUNDARY: Final = re.compile(
    r"\s*multipart/form-data\s*;(?:.*;)?\s*boundary=(?:\"([^\"]+)\"|([^;\s]+))",
    re.IGNORECASE,
)
_PARAMETER: Final = re.compile(r';\s*([\w*]+)\s*=\s*("(?:\\.|[^"\\])*"|[^;\s]+)')
_UNKNOWN_TYPE: Final = "application/octet-stream"


@dataclass(frozen=True, slots=True)
class UploadedFile:
    """A file in a body; ``field`` is the name of the form's field."""

    field: str
    name: str
    mime_type: str
    content: bytes


def read_files(content_type: str, body: bytes) -> tuple[UploadedFile, ...] | None:
    """Return the files in a body.

    Args:
        content_type: The header that states the boundary of the parts.
        body: The body.

    Returns:
        The files, without other fields of the form; None if the body is malformed.
    """
    match = _BOUNDARY.match(content_type)
    if match is None:
        return None
    boundary = b"--" + (match[1] or match[2]).encode("latin-1", "replace")
    parts = (b"\r\n" + body).split(b"\r\n" + boundary)
    if len(parts) < 2 or not parts[-1].startswith(b"--"):
        return None
    return tuple(_uploaded_files(parts[1:-1]))


def _uploaded_files(parts: list[bytes]) -> Iterator[UploadedFile]:
    for part in parts:
        head, _, content = part.partition(b"\r\n\r\n")
        headers = _headers(head.decode("utf-8", "replace"))
        parameters = dict(_parameters(headers.get("content-disposition", "")))
        if "filename" in parameters:
            name = re.split(r"[\\/]", parameters["filename"])[-1]
            guessed = mimetypes.guess_type(name)[0] or _UNKNOWN_TYPE
            stated = headers.get("content-type", _UNKNOWN_TYPE).strip()
            mime_type = guessed if stated == _UNKNOWN_TYPE else stated
            yield UploadedFile(parameters.get("name", ""), name, mime_type, content)


def _headers(head: str) -> dict[str, str]:
    lines = (line.partition(":") for line in head.split("\r\n") if ":" in line)
    return {name.strip().lower(): value for name, _, value in lines}


def _parameters(header: str) -> Iterator[tuple[str, str]]:
    """Return the parameters of a header; an encoded one comes last and so takes precedence."""
    encoded = []
    for name, value in _PARAMETER.findall(header):
        plain = re.sub(r"\\(.)", r"\1", value[1:-1]) if value.startswith('"') else value
        if name.endswith("*"):
            encoded.append((name[:-1].lower(), unquote(plain.rpartition("'")[2])))
        else:
            # Browsers and httpx escape quotation marks and line ends in this way.
            yield name.lower(), re.sub("%(22|0A|0D)", lambda code: unquote(code[0]), plain)
    yield from encoded
