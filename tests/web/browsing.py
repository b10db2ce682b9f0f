"""Start a browser whose contexts close in time."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import Iterator
from functools import partial
from typing import Any

CLOSE_SECONDS = 60.0


@contextlib.contextmanager
def launched(kind: Any, **options: Any) -> Iterator[Any]:
    """Start a browser, and end it with all of its contexts.

    A service worker's requests pass by `page.route`; tests/web/test_offline.py allows them. Chromium
    was seen never to answer that a context is closed, once in some thousands: such a context is left
    to the end of the browser, rather than failing a test that has passed.
    """
    browser = kind.launch(**options)
    make = browser.new_context

    def new_context(**wanted: Any) -> Any:
        context = make(**{"service_workers": "block"} | wanted)
        context.close = partial(_close, context)
        return context

    browser.new_context = new_context
    browser.new_page = partial(browser.new_page, service_workers="block")
    yield browser
    browser.close()


def _close(context: Any) -> None:
    # The public `close` takes no time limit
    with contextlib.suppress(TimeoutError):
        closing = context._impl_obj.close(reason=None)
        context._sync(asyncio.wait_for(closing, CLOSE_SECONDS))
