"""One tab of the browser for the tests of a module, one after the other."""

from __future__ import annotations

import contextlib
from collections.abc import AsyncIterator
from typing import Any

from playwright.async_api import Browser, Page, ViewportSize


class Tabs:
    """A new page takes a second of a processor, one in a tab that is there a third of it. Every test's twin has a port,
    and so an origin and storage, of its own."""

    def __init__(self, browser: Browser) -> None:
        self._browser = browser
        self._open: dict[tuple[Any, ...], Page] = {}

    @contextlib.asynccontextmanager
    async def page(self, size: ViewportSize, **options: Any) -> AsyncIterator[Page]:
        """A page at this size that knows nothing of the test before. Scripts' errors fail the test."""
        key = (*size.values(), *options.values())
        page = self._open.get(key)
        if page is None:
            context = await self._browser.new_context(viewport=size, **options)
            page = self._open[key] = await context.new_page()
        await page.set_viewport_size(size)
        errors: list[str] = []

        def note(error: object) -> None:
            errors.append(str(error))

        page.on("pageerror", note)
        try:
            yield page
        finally:
            page.remove_listener("pageerror", note)
            await page.unroute_all(behavior="ignoreErrors")
            await page.goto("about:blank")
            await page.context.clear_cookies()
            for other in page.context.pages:
                if other is not page:
                    await other.close()
        assert errors == []
