"""Debian's Chromium, with the back/forward cache that visitors have and Playwright switches off."""

from collections.abc import Iterator

import pytest
from playwright.sync_api import Browser, BrowserContext, Page, sync_playwright

from tests.e2e.shop_and_bridge import ShopAndBridge, shop_and_bridge


@pytest.fixture(scope="session")
def chromium() -> Iterator[Browser]:
    """One browser for the whole run: starting it is what costs."""
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(
            executable_path="/usr/bin/chromium",
            args=["--no-sandbox"],
            ignore_default_args=["--disable-back-forward-cache"],
        )
        yield browser
        browser.close()


@pytest.fixture
def visitor(chromium: Browser) -> Iterator[BrowserContext]:
    """A visitor with a clean profile. Fails the test if any page of theirs saw an error."""
    errors: list[str] = []
    context = chromium.new_context()
    context.on("weberror", lambda error: errors.append(str(error.error)))
    yield context
    context.close()
    assert errors == []


@pytest.fixture
def tab(visitor: BrowserContext) -> Page:
    """The visitor's first tab."""
    return visitor.new_page()


@pytest.fixture
def servers() -> Iterator[ShopAndBridge]:
    """A shop and a bridge that record what presence.js sends."""
    with shop_and_bridge() as servers:
        yield servers


@pytest.fixture
def live(servers: ShopAndBridge) -> ShopAndBridge:
    """The same, with the part of the script that follows a conversation."""
    servers.live = True
    return servers
