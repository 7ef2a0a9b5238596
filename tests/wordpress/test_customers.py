"""Who is behind a visitor: signing in and out, registering, ordering, filling a cart, over HTTP."""

from collections.abc import Iterator
from typing import Any

import pytest
import requests

from tests.servers.wordpress import WordPress, php_text
from tests.wordpress.recording_bridge import RecordingBridge
from tests.wordpress.shopper import Shopper, events
from tests.wordpress.test_page import queries_of_a_page
from tests.wordpress.test_session_route import claims, sign_in

pytestmark = pytest.mark.usefixtures("connected", "woocommerce")

ADDRESS = {"first_name": "Zoë 🌱", "last_name": "O'Neill", "email": "zoe@example.com"}
BILLING = {f"billing_{field}": value for field, value in ADDRESS.items()}


@pytest.fixture
def shopper(wordpress: WordPress) -> Shopper:
    return Shopper(wordpress)


@pytest.fixture(autouse=True)
def customers(wordpress: WordPress) -> Iterator[None]:
    """Jane and Max have accounts; accounts that a test makes are gone afterwards."""
    for login, first_name in (("jane", "Jane"), ("max", "Max")):
        wordpress.php(
            f"wp_insert_user( array( 'user_login' => {php_text(login)}, 'role' => 'customer',"
            f"'user_pass' => {php_text(login)}, 'user_email' => {php_text(login + '@example.com')},"
            f"'first_name' => {php_text(first_name)}, 'last_name' => 'Doe' ) );"
        )
    yield
    wordpress.php(
        "require_once ABSPATH . 'wp-admin/includes/user.php';"
        "foreach ( get_users() as $user ) {"
        " if ( 'owner' !== $user->user_login ) { wp_delete_user( $user->ID ); } }"
    )


def customer(wordpress: WordPress, email: str, name: str) -> dict[str, str]:
    """What the bridge is told of an account."""
    user = wordpress.php(f"echo get_user_by( 'email', {php_text(email)} )->ID;")
    return {"id": user, "email": email, "name": name}


def in_short(sent: list[dict[str, Any]]) -> list[tuple[str, str, Any]]:
    """Type, visitor and content of each event."""
    field = {"customer": "customer", "order_placed": "order", "cart": "cart"}
    return [(each["type"], each["visitor"], each[field[each["type"]]]) for each in sent]


def test_c1_signing_in_and_out(
    wordpress: WordPress, connected: RecordingBridge, shopper: Shopper
) -> None:
    visitor = shopper.begin_chat()["visitor"]
    jane = customer(wordpress, "jane@example.com", "Jane Doe")
    shopper.sign_in("jane")
    assert in_short(events(connected)) == [("customer", visitor, jane)]
    session = shopper.begin_chat()
    assert session["visitor"] == visitor
    assert claims(session["token"])["customer"] == jane
    # WooCommerce joins the session with the next page: that was told already.
    shopper.visit()
    assert events(connected) == []
    shopper.sign_out()
    assert in_short(events(connected)) == [("customer", visitor, None)]
    session = shopper.begin_chat()
    assert session["visitor"] == visitor
    assert "customer" not in claims(session["token"])
    assert events(connected) == []


def test_c3_another_customer_is_a_new_visitor(
    wordpress: WordPress, connected: RecordingBridge, shopper: Shopper
) -> None:
    older = shopper.begin_chat()["visitor"]
    shopper.sign_in("jane")
    shopper.sign_out()
    events(connected)
    shopper.sign_in("max")
    newer = shopper.visitor
    assert newer != older
    max_ = customer(wordpress, "max@example.com", "Max Doe")
    assert in_short(events(connected)) == [("customer", older, None), ("customer", newer, max_)]
    assert shopper.begin_chat()["visitor"] == newer
    assert events(connected) == []


def test_c3_another_customer_whom_no_hook_told_of(
    connected: RecordingBridge, shopper: Shopper
) -> None:
    """As where a plugin signs in by cookies alone: the chat notices, and the older tokens end."""
    shopper.sign_in("jane")
    older = shopper.begin_chat()["visitor"]
    kept = shopper.browser.cookies["cpb_visitor"]
    shopper.browser.cookies.clear()
    shopper.sign_in("max")
    shopper.browser.cookies.set("cpb_visitor", kept, path="/")
    assert events(connected) == []
    newer = shopper.begin_chat()["visitor"]
    assert newer != older
    assert in_short(events(connected)) == [("customer", older, None)]


def test_c3_too_late_for_a_cookie_the_older_tokens_end_all_the_same(
    wordpress: WordPress, connected: RecordingBridge
) -> None:
    """Signing in from within a page: the new visitor begins with the next session."""
    said = wordpress.php(
        "$visitors = new ChatPresenceBridge\\Visitor_Cookie();"
        "$visitor  = $visitors->identify( get_user_by( 'login', 'jane' )->ID );"
        "echo $visitor; flush();"
        "if ( ! headers_sent() ) { exit( 'too early' ); }"
        "$max = get_user_by( 'login', 'max' ); do_action( 'wp_login', 'max', $max );"
        "echo $visitors->known();"
    )
    visitor = said[: len(said) // 2]
    assert said == visitor * 2
    assert in_short(events(connected)) == [("customer", visitor, None)]


def test_too_late_for_a_cookie_a_first_sign_in_is_told(
    wordpress: WordPress, connected: RecordingBridge
) -> None:
    visitor = wordpress.php(
        "echo ( new ChatPresenceBridge\\Visitor_Cookie() )->identify( 0 ); flush();"
        "do_action( 'wp_login', 'jane', get_user_by( 'login', 'jane' ) );"
    )
    jane = customer(wordpress, "jane@example.com", "Jane Doe")
    assert in_short(events(connected)) == [("customer", visitor, jane)]


def test_without_a_chat_nothing_is_told(connected: RecordingBridge, shopper: Shopper) -> None:
    shopper.shop("add_to_cart", product_id=10)
    shopper.sign_in("jane")
    shopper.visit()
    shopper.shop("checkout", **BILLING)
    shopper.sign_out()
    assert connected.requests == []
    assert shopper.visitor is None


def test_a_guests_order(connected: RecordingBridge, shopper: Shopper) -> None:
    visitor = shopper.begin_chat()["visitor"]
    shopper.shop("add_to_cart", product_id=10, quantity=2)
    events(connected)
    order = shopper.shop("checkout", **BILLING)["order_id"]
    placed = {
        "id": str(order),
        "number": str(order),
        "total": "25.00",
        "currency": "EUR",
        "email": "zoe@example.com",
        "customer_id": None,
    }
    # The emptied cart is held back: the full one was told just now.
    assert in_short(events(connected)) == [("order_placed", visitor, placed)]


def test_a_customers_order(
    wordpress: WordPress, connected: RecordingBridge, shopper: Shopper
) -> None:
    shopper.begin_chat()
    shopper.sign_in("jane")
    shopper.shop("add_to_cart", product_id=10)
    events(connected)
    shopper.shop("checkout", **BILLING)
    order = events(connected)[0]["order"]
    assert order["customer_id"] == customer(wordpress, "jane@example.com", "")["id"]


def test_registering_at_the_classic_checkout(
    wordpress: WordPress, connected: RecordingBridge, shopper: Shopper
) -> None:
    visitor = shopper.begin_chat()["visitor"]
    shopper.shop("add_to_cart", product_id=10)
    events(connected)
    shopper.shop("checkout", createaccount=1, **BILLING)
    sent = in_short(events(connected))
    zoe = customer(wordpress, "zoe@example.com", "Zoë 🌱 O'Neill")
    assert [each[0] for each in sent] == ["customer", "order_placed"]
    assert sent[0] == ("customer", visitor, zoe)
    assert sent[1][2]["customer_id"] == zoe["id"]
    session = shopper.begin_chat()
    assert (session["visitor"], claims(session["token"])["customer"]) == (visitor, zoe)


def test_registering_at_the_block_checkout(
    wordpress: WordPress, connected: RecordingBridge, shopper: Shopper
) -> None:
    visitor = shopper.begin_chat()["visitor"]
    shopper.store_api("cart/add-item", id=10, quantity=3)
    assert in_short(events(connected)) == [
        (
            "cart",
            visitor,
            {
                "items": [
                    {"product_id": "10", "name": "Blue mug", "quantity": 3, "total": "37.50"}
                ],
                "total": "37.50",
                "currency": "EUR",
            },
        )
    ]
    shopper.store_api("checkout", billing_address=ADDRESS, create_account=True)
    sent = in_short(events(connected))
    zoe = customer(wordpress, "zoe@example.com", "Zoë 🌱 O'Neill")
    assert [each[:2] for each in sent] == [("customer", visitor), ("order_placed", visitor)]
    assert sent[0][2] == zoe
    assert (sent[1][2]["total"], sent[1][2]["customer_id"]) == ("37.50", zoe["id"])


def test_a_guests_order_by_the_block_checkout_in_a_currency_without_decimals(
    wordpress: WordPress, connected: RecordingBridge, shopper: Shopper
) -> None:
    wordpress.php(
        "update_option( 'woocommerce_currency', 'JPY' );"
        "update_option( 'woocommerce_price_num_decimals', 0 );"
        "$tea = array( 'name' => 'Tea', 'price' => 400 );"
        "update_option( 'standin_products', array( 10 => $tea ) );"
    )
    shopper.begin_chat()
    shopper.store_api("cart/add-item", id=10, quantity=3)
    shopper.store_api("checkout", billing_address=ADDRESS, create_account=False)
    cart, order = events(connected)
    assert (cart["cart"]["total"], cart["cart"]["currency"]) == ("1200", "JPY")
    assert (order["order"]["total"], order["order"]["currency"]) == ("1200", "JPY")
    assert order["order"]["customer_id"] is None


def test_the_owner_makes_a_customer(
    wordpress: WordPress, connected: RecordingBridge, shopper: Shopper
) -> None:
    """It says nothing of the owner's own browser, in which they have tried the chat."""
    sign_in(wordpress, shopper.browser, "owner", wordpress.password)
    shopper.begin_chat()
    made = shopper.browser.post(
        f"{wordpress.url}/wp-admin/admin-post.php",
        data={"action": "standin_make_customer", "email": "other@example.com"},
        timeout=30,
    )
    assert made.text == customer(wordpress, "other@example.com", "")["id"]
    assert events(connected) == []


def test_a_cart_is_told_at_most_once_in_ten_seconds_and_in_the_end_as_it_is(
    wordpress: WordPress, connected: RecordingBridge, shopper: Shopper
) -> None:
    visitor = shopper.begin_chat()["visitor"]
    shopper.shop("add_to_cart", product_id=10)
    shopper.shop("add_to_cart", product_id=11)
    shopper.shop("set_quantity", product_id=11, quantity=4)
    shopper.shop("remove_from_cart", product_id=10)
    sent = events(connected)
    assert len(sent) == 1
    assert [item["product_id"] for item in sent[0]["cart"]["items"]] == ["10"]
    let_time_pass(wordpress)
    shopper.visit()
    items = [{"product_id": "11", "name": "Tea & “Talk” 🍵 ספר", "quantity": 4, "total": "31.96"}]
    told = {"items": items, "total": "31.96", "currency": "EUR"}
    assert in_short(events(connected)) == [("cart", visitor, told)]
    let_time_pass(wordpress)
    shopper.visit()
    assert events(connected) == []
    shopper.shop("empty_cart")
    empty = {"items": [], "total": "0.00", "currency": "EUR"}
    assert in_short(events(connected)) == [("cart", visitor, empty)]


def test_a_cart_from_before_the_chat_is_told_with_the_next_page(
    connected: RecordingBridge, shopper: Shopper
) -> None:
    shopper.shop("add_to_cart", product_id=10)
    visitor = shopper.begin_chat()["visitor"]
    assert events(connected) == []
    shopper.visit()
    assert [each[:2] for each in in_short(events(connected))] == [("cart", visitor)]


def test_a_visitor_with_an_empty_cart_is_told_nothing_of(
    connected: RecordingBridge, shopper: Shopper
) -> None:
    shopper.begin_chat()
    shopper.visit()
    assert events(connected) == []


def test_the_shop_goes_on_without_the_bridge(connected: RecordingBridge, shopper: Shopper) -> None:
    shopper.begin_chat()
    connected.close()
    shopper.sign_in("jane")
    assert shopper.shop("add_to_cart", product_id=10) == {"items": 1}
    assert shopper.shop("checkout", **BILLING)["result"] == "success"
    shopper.sign_out()


def test_rendering_a_page_of_the_shop_costs_no_query(wordpress: WordPress) -> None:
    """The same page asks as often with the plugin as without it, for those without a chat."""
    ours = queries_of_a_page(wordpress)
    plugins = wordpress.option("active_plugins")
    activate(wordpress, [each for each in plugins if not each.startswith("chat-presence-bridge/")])
    try:
        without = queries_of_a_page(wordpress)
    finally:
        activate(wordpress, plugins)
    assert 0 < ours == without


def test_no_cookie_of_ours_in_the_shop(wordpress: WordPress) -> None:
    answer = requests.get(f"{wordpress.url}/first/", timeout=30)
    assert "cpb_visitor" not in answer.cookies


def activate(wordpress: WordPress, plugins: list[str]) -> None:
    """Have exactly these plugins active, without their hooks of activation."""
    names = ", ".join(map(php_text, plugins))
    wordpress.php(f"update_option( 'active_plugins', array( {names} ) );")


def let_time_pass(wordpress: WordPress) -> None:
    """Make what was told of carts older than ten seconds."""
    wordpress.php(
        'global $wpdb; $names = $wpdb->get_col( "SELECT option_name FROM $wpdb->options'
        " WHERE option_name LIKE '\\\\_transient\\\\_cpb\\\\_cart%'\" );"
        "foreach ( $names as $name ) { $told = get_option( $name ); $told['at'] -= 10;"
        " update_option( $name, $told ); }"
    )
