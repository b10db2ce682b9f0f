"""Our OpenAPI document beside the reference's, route by route.

Every difference is in `openapi_differences.json` with its reason; one that is not, or a reason for
a difference that is no longer there, fails the test.
"""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from reflector.app import create_app
from reflector.runtime.settings import Settings
from reflector.services import open_services
from tests.api.openapi import Document, differences
from tests.api.people import SECRET

ROOT = Path(__file__).parent.parent.parent
FACTS = ROOT.parent / "shared" / "spec" / "openapi-facts.json"
KNOWN: dict[str, Any] = json.loads(Path(__file__).with_name("openapi_differences.json").read_text())


@pytest.fixture
def documents(make_settings: Callable[..., Settings]) -> tuple[Document, Document]:
    if not FACTS.exists():
        pytest.skip("the reference's interface (shared/spec/openapi-facts.json) is not here")
    services = open_services(make_settings(AUTH_BACKEND="password", SECRET_KEY=SECRET))
    ours = create_app(services).openapi()
    services.close()
    return Document(json.loads(FACTS.read_text())), Document(ours)


def test_every_route_of_the_reference_is_there_or_has_a_reason(
    documents: tuple[Document, Document],
) -> None:
    theirs, ours = documents
    assert theirs.routes() - ours.routes() == set(KNOWN["missing"])
    assert ours.routes() - theirs.routes() == set(KNOWN["added"])


def test_every_difference_of_a_route_has_a_reason(documents: tuple[Document, Document]) -> None:
    theirs, ours = documents
    found = {
        route: noticed
        for route in sorted(theirs.routes() & ours.routes())
        if (noticed := set(differences(theirs, ours, route)))
    }
    assert found == {route: set(reasons) for route, reasons in KNOWN["changed"].items()}


def test_every_difference_has_a_sentence() -> None:
    reasons = [*KNOWN["missing"].values(), *KNOWN["added"].values()]
    reasons += [reason for route in KNOWN["changed"].values() for reason in route.values()]
    assert all(reason.strip() for reason in reasons)
