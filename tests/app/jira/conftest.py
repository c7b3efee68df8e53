from __future__ import annotations

from typing import get_args

import pytest

from ticketr.app.jira.transport import HttpPackage


@pytest.fixture(params=get_args(HttpPackage))
def package(request: pytest.FixtureRequest) -> HttpPackage:
    """Return each supported HTTP package in turn."""
    name: HttpPackage = request.param
    return name
