"""The IDs by which media nodes in documents refer to attachments."""

from __future__ import annotations

import uuid
from typing import Final

_NAMESPACE: Final = uuid.UUID("7e0f9a9e-63cf-4c1c-8d38-3c2f0b5f3f11")


def media_id(attachment_id: int) -> str:
    """Return the media ID of an attachment."""
    return str(uuid.uuid5(_NAMESPACE, str(attachment_id)))
