"""The demo as ``make run`` starts it, and what a visitor and an agent do there."""

import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import requests
from playwright.sync_api import Browser, Page, expect

from tests.servers.ports import free_port
from tests.servers.waiting import wait_until

CHECKOUT = Path(__file__).parents[2]
PATIENCE_MS = 30_000

expect.set_options(timeout=PATIENCE_MS)


@contextmanager
def demo_shop(folder: Path) -> Iterator[str]:
    """``python -m bridge demo`` in ``folder``; the address of its pages."""
    port = free_port()
    environment = {
        "PATH": os.environ["PATH"],
        "PYTHONPATH": str(CHECKOUT),
        "PORT": str(port),
        # A busy machine must not miss it.
        "PRESENCE_GRACE_SECONDS": "8",
        "HEARTBEAT_IDLE_SECONDS": "5",
    }
    with (folder / "log").open("wb") as log:
        process = subprocess.Popen(
            [sys.executable, "-m", "bridge", "demo"],
            cwd=folder,
            env=environment,
            stdout=log,
            stderr=subprocess.STDOUT,
            start_new_session=True,
        )
    try:
        wait_until(
            lambda: process.poll() is not None or is_ready(port), "the demo is ready", seconds=60
        )
        assert process.poll() is None, (folder / "log").read_text()
        yield f"http://127.0.0.1:{port}/demo"
    finally:
        if process.poll() is None:
            os.killpg(process.pid, signal.SIGTERM)
            process.wait(timeout=60)


def is_ready(port: int) -> bool:
    try:
        return requests.get(f"http://127.0.0.1:{port}/readyz", timeout=5).ok
    except requests.ConnectionError:
        return False


@contextmanager
def agent_page(
    chromium: Browser, demo: str, width: int = 1280, height: int = 900
) -> Iterator[Page]:
    """The page that shows what an agent sees."""
    context = chromium.new_context(viewport={"width": width, "height": height})
    page = context.new_page()
    page.goto(f"{demo}/agent")
    yield page
    context.close()


def say(page: Page, text: str) -> None:
    """Write in the chat, and have the bot's answer."""
    # Once the page has shown what was said before.
    expect(page.locator(".chat-log .bot").first).to_be_attached()
    answers = page.locator(".chat-log .bot").count()
    write(page, text)
    expect(page.locator(".chat-log .bot")).to_have_count(answers + 1)


def write(page: Page, text: str) -> None:
    """Write in the chat."""
    page.get_by_label("Your message").fill(text)
    page.get_by_label("Your message").press("Enter")


def begin_chat(tab: Page, demo: str, text: str) -> str:
    """Say something in a new chat; returns the conversation's id."""
    tab.goto(f"{demo}/")
    tab.get_by_role("button", name="Chat with us").click()
    say(tab, text)
    conversation: str = tab.evaluate("() => ChatPresence.state().conversation")
    return conversation


def open_on(agent: Page, conversation: str) -> None:
    """Open the conversation as an agent."""
    agent.locator(f'[data-id="{conversation}"]').click()
    expect(agent.locator(f'[data-id="{conversation}"]')).to_have_attribute("aria-current", "true")


def take_over(agent: Page, conversation: str) -> None:
    """Open the conversation as an agent and answer in the bot's place."""
    open_on(agent, conversation)
    agent.get_by_role("button", name="Take over", exact=True).click()
    expect(agent.locator(".owner")).to_have_text("You answer")


def is_bot_silent(tab: Page, conversation: str) -> bool:
    """Ask the shop what its bot would say, beside the widget."""
    reply = tab.evaluate(
        """async (conversation) => {
            const body = JSON.stringify({ conversation, message: 'asked by the test', text: 'Hi' });
            const headers = { 'Content-Type': 'application/json' };
            const answer = await fetch('/demo/chat', { method: 'POST', headers, body });
            return (await answer.json()).reply;
        }""",
        conversation,
    )
    return reply is None
