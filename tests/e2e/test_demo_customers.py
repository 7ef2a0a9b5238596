"""Who is behind the visitor, as the demo shows it: the bridge asks the demo's own WooCommerce."""

import re
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor

import pytest
import requests
from playwright.sync_api import Browser, BrowserContext, Locator, Page, Route, expect

from tests.e2e.demo_shop import (
    agent_page,
    begin_chat,
    demo_shop,
    is_bot_silent,
    open_on,
    say,
    take_over,
    write,
)
from tests.e2e.wpiko_store import block
from tests.servers.waiting import wait_until

JANE = "jane@example.com"


@pytest.fixture(scope="module")
def demo(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    with demo_shop(tmp_path_factory.mktemp("demo")) as address:
        yield address


@pytest.fixture
def agent(chromium: Browser, demo: str) -> Iterator[Page]:
    with agent_page(chromium, demo) as page:
        yield page


def panel(agent: Page) -> Locator:
    return agent.get_by_role("complementary", name="Customer")


def fact(agent: Page, term: str) -> Locator:
    """What the panel says of one thing."""
    return panel(agent).locator(f'dt:text-is("{term}") + dd')


def sign_in(tab: Page) -> None:
    tab.get_by_role("button", name="Sign in as Jane").click()
    expect(tab.get_by_role("button", name="Sign out")).to_be_visible()


def add_to_basket(tab: Page, demo: str, product: str) -> None:
    tab.goto(f"{demo}/product/{product}")
    tab.get_by_role("button", name="Add to the basket").click()
    expect(tab.get_by_role("heading", name="Your basket")).to_be_visible()


def place_order(tab: Page, email: str | None = None) -> str:
    """Place an order for what is in the basket; returns its number."""
    if email is not None:
        tab.locator(".order").get_by_label("Your email").fill(email)
    # By the keyboard: the chat may lie over it.
    tab.get_by_role("button", name="Place the order").press("Enter")
    expect(tab.locator(".done")).to_be_visible()
    placed = re.search(r"order ([0-9]+) is placed", tab.locator(".done").inner_text())
    assert placed
    return placed[1]


def test_c1_signing_in_shows_who_it_is(tab: Page, agent: Page, demo: str) -> None:
    conversation = begin_chat(tab, demo, "Hello")
    open_on(agent, conversation)
    expect(agent.locator(".transcript .visitor")).to_have_count(1)
    expect(panel(agent)).to_be_hidden()
    sign_in(tab)
    expect(panel(agent).get_by_role("heading")).to_have_text(["Jane Doe"])
    expect(panel(agent).locator(".proof")).to_have_text("signed in")
    expect(fact(agent, "Email")).to_have_text(JANE)
    # Only her store knows these.
    expect(fact(agent, "Orders")).to_have_text(re.compile("^[0-9]+$"))
    expect(fact(agent, "Spent")).to_have_text(re.compile(r"^[0-9]+\.[0-9]{2} EUR$"))
    expect(panel(agent).locator(".problem")).to_be_hidden()
    expect(agent.locator(f'[data-id="{conversation}"] .name')).to_have_text("Jane Doe")
    expect(agent.get_by_role("heading", level=2)).to_have_text("Jane Doe")


def test_c4_an_order_is_seen_as_the_store_has_it(tab: Page, agent: Page, demo: str) -> None:
    conversation = begin_chat(tab, demo, "Hello")
    sign_in(tab)
    open_on(agent, conversation)
    expect(fact(agent, "Orders")).to_be_visible()
    before = int(fact(agent, "Orders").inner_text())
    add_to_basket(tab, demo, "morning-mug")
    expect(panel(agent).locator(".cart")).to_contain_text("Morning Mug")
    expect(panel(agent).locator(".cart .sum")).to_have_text("Together24.00 EUR")
    number = place_order(tab)
    expect(fact(agent, "Orders")).to_have_text(str(before + 1))
    expect(fact(agent, "Last order")).to_contain_text(f"No. {number} · processing · 24.00 EUR")
    expect(panel(agent).locator(".cart")).to_be_hidden()


def test_c1_a_guest_is_known_by_their_order(tab: Page, agent: Page, demo: str) -> None:
    # The basket was filled before there was a chat.
    add_to_basket(tab, demo, "bud-vase")
    conversation = begin_chat(tab, demo, "Hello")
    number = order_as_guest(tab, demo, "gus@example.com")
    open_on(agent, conversation)
    expect(panel(agent).locator(".proof")).to_have_text("placed an order")
    expect(panel(agent).get_by_role("heading")).to_have_text(["gus@example.com"])
    expect(fact(agent, "Orders")).to_have_text("1")
    expect(fact(agent, "Spent")).to_have_text("34.00 EUR")
    expect(fact(agent, "Last order")).to_contain_text(f"No. {number} · processing")


def order_as_guest(tab: Page, demo: str, email: str) -> str:
    tab.goto(f"{demo}/cart")
    return place_order(tab, email)


def test_c2_an_order_with_somebodys_email_shows_nothing_of_their_account(
    tab: Page, agent: Page, demo: str
) -> None:
    conversation = begin_chat(tab, demo, "Hello")
    add_to_basket(tab, demo, "garden-blend")
    order_as_guest(tab, demo, JANE)
    open_on(agent, conversation)
    expect(fact(agent, "Orders")).to_have_text("1")
    expect(fact(agent, "Spent")).to_have_text("16.50 EUR")
    expect(panel(agent).get_by_role("heading")).to_have_text([JANE])


def leave_email(tab: Page, email: str) -> None:
    tab.get_by_text("Leave your email").click()
    tab.get_by_role("dialog").get_by_label("Your email").fill(email)
    tab.get_by_role("button", name="Leave it").click()
    expect(tab.locator(".chat-log .visitor").last).to_contain_text(f"My email is {email}")
    expect(tab.locator(".chat-log .bot").last).to_contain_text("we reply to that address")


def test_c2_a_typed_email_shows_no_amounts(tab: Page, agent: Page, demo: str) -> None:
    conversation = begin_chat(tab, demo, "Hello")
    add_to_basket(tab, demo, "bud-vase")
    leave_email(tab, JANE)
    open_on(agent, conversation)
    expect(panel(agent).locator(".proof")).to_have_text("says so in the chat")
    expect(fact(agent, "Known to the shop")).to_have_text("yes")
    expect(fact(agent, "Orders")).to_have_text(re.compile("^[0-9]+$"))
    expect(agent.locator(".transcript .visitor")).to_have_count(2)
    terms = panel(agent).locator("dt").all_inner_texts()
    assert terms == ["Known to the shop", "Orders"]
    shown = panel(agent).inner_text()
    assert "EUR" not in shown
    assert "Jane Doe" not in agent.locator(".open").inner_text()
    expect(panel(agent).locator(".cart")).to_be_hidden()


def test_c4_a_webhook_has_the_customer_looked_up_again(tab: Page, agent: Page, demo: str) -> None:
    conversation = begin_chat(tab, demo, "Hello")
    leave_email(tab, "ada@example.com")
    open_on(agent, conversation)
    expect(fact(agent, "Known to the shop")).to_have_text("no")
    # In a browser of which nobody knows whose it is: the webhook alone tells of it.
    with requests.Session() as shop:
        shop.headers["Sec-Fetch-Site"] = "same-origin"
        shop.post(f"{demo}/cart", {"product": "bud-vase"}, timeout=30).raise_for_status()
        shop.post(f"{demo}/order", {"email": "ada@example.com"}, timeout=30).raise_for_status()
    expect(fact(agent, "Known to the shop")).to_have_text("yes")
    expect(fact(agent, "Orders")).to_have_text("1")


def test_c3_signing_out_parts_nobody(tab: Page, agent: Page, demo: str) -> None:
    conversation = begin_chat(tab, demo, "Hello")
    open_on(agent, conversation)
    sign_in(tab)
    expect(fact(agent, "Orders")).to_be_visible()
    tab.get_by_role("button", name="Sign out").click()
    expect(tab.get_by_role("button", name="Sign in as Jane")).to_be_visible()
    # Told after it, and in this order.
    add_to_basket(tab, demo, "little-teapot")
    expect(panel(agent).locator(".cart")).to_contain_text("Little Teapot")
    expect(panel(agent).locator(".proof")).to_have_text("signed in")
    expect(panel(agent).get_by_role("heading", level=3)).to_have_text("Jane Doe")
    # Its earlier token has ended: it gets a new one, and goes on in the same conversation.
    say(tab, "Still here")
    expect(agent.locator(".transcript .visitor")).to_have_count(2)
    expect(panel(agent).locator(".proof")).to_have_text("signed in")
    expect(agent.locator(".open .label")).to_have_text("Online now")


def test_who_is_gone_is_followed_up(tab: Page, agent: Page, demo: str) -> None:
    conversation = begin_chat(tab, demo, "Is a person there?")
    sign_in(tab)
    take_over(agent, conversation)
    wait_until(lambda: is_bot_silent(tab, conversation), "the bot is silent")
    write(tab, "When does it arrive?")
    expect(agent.locator(".transcript .visitor")).to_have_count(2)
    expect(agent.locator(".follow-up")).to_be_hidden()
    tab.close()
    expect(agent.locator(".follow-up p")).to_have_text("Still awaits a reply.")
    link = agent.get_by_role("link", name="Write an email").get_attribute("href")
    assert link
    assert link.startswith(f"mailto:{JANE}?subject=")
    agent.get_by_label("Needs follow-up").check()
    listed = agent.locator(f'.conversations [data-id="{conversation}"]')
    expect(listed).to_contain_text("Needs follow-up")
    agent.get_by_role("button", name="Followed up").press("Enter")
    expect(agent.locator(".follow-up p")).to_have_text(re.compile("^Demo agent followed up "))
    expect(agent.locator(".follow-up")).to_be_focused()
    expect(agent.get_by_role("button", name="Followed up")).to_be_hidden()
    expect(listed).to_have_count(0)
    agent.get_by_label("Needs follow-up").uncheck()
    expect(listed).to_be_visible()
    expect(listed.locator(".badge")).to_be_hidden()


def test_a_search_finds_by_name_email_and_order(tab: Page, agent: Page, demo: str) -> None:
    conversation = begin_chat(tab, demo, "Hello")
    add_to_basket(tab, demo, "bud-vase")
    number = order_as_guest(tab, demo, "zoe@example.com")
    listed = agent.locator(f'.conversations [data-id="{conversation}"]')
    search = agent.get_by_role("searchbox", name="Find by name, email or order number")
    for text in ("zoe@", number):
        search.fill(text)
        expect(agent.locator(".found")).to_have_text("1 found")
        expect(listed).to_have_count(1)
    search.fill("nobody is called so")
    expect(agent.locator(".found")).to_have_text("0 found")
    search.fill("jane")
    sign_in(tab)
    expect(listed).to_contain_text("Jane Doe")
    search.fill("")
    expect(agent.locator(".found")).to_have_text("")
    expect(listed).to_be_visible()


def test_c4_a_problem_is_told_and_the_last_known_data_stays(
    tab: Page, agent: Page, demo: str
) -> None:
    conversation = begin_chat(tab, demo, "Hello")
    sign_in(tab)
    open_on(agent, conversation)
    expect(fact(agent, "Orders")).to_be_visible()
    problem = {
        "code": "unreachable",
        "text": "The store cannot be reached.",
        "since": "2026-11-22T10:00:00.000Z",
    }

    def in_trouble(route: Route) -> None:
        whole = route.fetch().json()
        whole["customer"] |= {"problem": problem, "name": "<b>Jane</b>", "orders_count": 3}
        route.fulfill(json=whole)

    agent.route(f"**/v1/conversations/{conversation}", in_trouble)
    # It would tell that all is well.
    block(agent, "*/v1/stream*")
    agent.reload()
    open_on(agent, conversation)
    told = panel(agent).locator(".problem")
    expect(told).to_have_text(re.compile(r"^The store cannot be reached\. Since .+\.$"))
    expect(fact(agent, "Orders")).to_have_text("3")
    expect(panel(agent).get_by_role("heading", level=3)).to_have_text("<b>Jane</b>")


def test_the_age_counts_by_itself(tab: Page, agent: Page, demo: str) -> None:
    conversation = begin_chat(tab, demo, "Hello")
    sign_in(tab)
    # The page's clock is moved, since nobody waits for hours; the demo has not run for one.
    agent.clock.install()
    agent.reload()
    open_on(agent, conversation)
    age = panel(agent).locator(".age")
    expect(age).to_have_text(re.compile("^As the shop said (just now|.* (second|minute)s? ago)"))
    agent.clock.fast_forward(7_200_000)
    expect(age).to_have_text("As the shop said 2 hours ago.")


def test_the_panel_on_a_phone_and_by_keyboard(
    chromium: Browser, visitor: BrowserContext, demo: str
) -> None:
    tab = visitor.new_page()
    conversation = begin_chat(tab, demo, "Hello")
    sign_in(tab)
    with agent_page(chromium, demo, width=390, height=844) as agent:
        open_on(agent, conversation)
        summary = panel(agent).locator("summary")
        expect(summary).to_contain_text("Jane Doe")
        expect(fact(agent, "Orders")).to_be_hidden()
        summary.press("Enter")
        expect(fact(agent, "Orders")).to_be_visible()
        assert agent.evaluate("() => document.documentElement.scrollWidth <= innerWidth")
        tab.set_viewport_size({"width": 390, "height": 844})
        assert tab.evaluate("() => document.documentElement.scrollWidth <= innerWidth")


def test_the_bridge_that_calls_itself_does_not_lock(tab: Page, agent: Page, demo: str) -> None:
    buyers = 24

    def buy(number: int) -> int:
        with requests.Session() as shop:
            shop.headers["Sec-Fetch-Site"] = "same-origin"
            shop.post(f"{demo}/session", timeout=60).raise_for_status()
            for path, fields in (
                ("sign-in", {}),
                ("cart", {"product": "bud-vase"}),
                ("order", {"email": f"buyer{number}@example.com"}),
                ("sign-out", {}),
            ):
                answer = shop.post(f"{demo}/{path}", fields, timeout=60, allow_redirects=False)
                assert answer.status_code == 303
        return number

    with ThreadPoolExecutor(buyers) as pool:
        assert len(list(pool.map(buy, range(buyers)))) == buyers
    conversation = begin_chat(tab, demo, "Is it still there?")
    sign_in(tab)
    open_on(agent, conversation)
    wait_until(
        lambda: (
            fact(agent, "Orders").count() and int(fact(agent, "Orders").inner_text()) >= buyers + 3
        ),
        "all orders are known",
        seconds=60,
    )
