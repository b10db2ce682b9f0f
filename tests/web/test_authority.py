"""The root certificate that browsers are to trust, where the server has an authority of its own."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from fastapi.testclient import TestClient

from reflector.app import create_app
from reflector.runtime.settings import Settings
from reflector.services import open_services


@pytest.mark.parametrize("address", ["/reflector-root.crt", None])
def test_page_offers_the_root_certificate_where_there_is_one(
    make_settings: Callable[..., Settings], address: str | None
) -> None:
    opened = open_services(make_settings(CA_CERTIFICATE_URL=address))
    page = TestClient(create_app(opened)).get("/").text
    assert ('href="/reflector-root.crt" download' in page) is (address is not None)
    opened.close()
