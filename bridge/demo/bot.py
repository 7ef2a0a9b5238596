"""The chatbot of the demo: a few rules, in the order in which they are tried."""

import re

from bridge.demo.catalogue import CATALOGUE, Product

DELIVERY = (
    "We pack on working days before noon. A parcel takes two to three days and costs €4.90; "
    "above €60.00 it is free."
)
RETURNS = (
    "You have 30 days to send anything back, as long as it has not met your dishwasher. "
    "We pay for the label. And if it broke on the way, we send another at once."
)
ORDERS = (
    "I cannot look into orders, but the people of this shop see yours next to this chat once you "
    "are signed in. Orders usually leave the workshop within two days."
)
PERSON = (
    "A person in the shop can read along here. Stay on this page and they will see that you are "
    "still there; that is what this demo is about."
)
UNSURE = (
    "I am a small bot with few answers: ask me about delivery, returns, an order, or anything on "
    "the shelf."
)

RULES: tuple[tuple[str, str], ...] = (
    ("^my email is ", "Thank you. If you are gone by then, we reply to that address."),
    (r"human|person|agent|someone|real|staff", PERSON),
    (r"return|refund|send (it )?back|broke|broken|exchange", RETURNS),
    (r"order|parcel|track|where is my", ORDERS),
    (r"deliver|shipping|ship|postage|arrive", DELIVERY),
    (r"open|hours|visit|workshop|address", "The workshop is open Tuesday to Saturday, 10 to 17."),
    (r"gift|present|wrap", "Gift wrapping is free: tell us in the note at checkout."),
    (r"dishwasher|microwave|care|wash", "All our stoneware goes in the dishwasher and microwave."),
    (r"thanks|thank you|cheers", "With pleasure. I am here if anything else comes up."),
    (r"^\W*(hi|hey|hello|good (morning|evening|day|afternoon))\b", "Hello! What can I do for you?"),
    (r"\bbye\b|goodbye", "Goodbye, and thank you for stopping by."),
)


def answer(text: str) -> str:
    """What the bot says to a visitor's message.

    :param text: the message, of any length.
    :returns: a sentence or two; never empty.
    """
    said = text.lower()
    product = _product_in(said)
    if product is not None:
        return f"{product.name}: {product.line} €{product.price}. {'. '.join(product.facts)}."
    for pattern, reply in RULES:
        if re.search(rf"(?:{pattern})", said):
            return reply
    return UNSURE


def _product_in(said: str) -> Product | None:
    for product in CATALOGUE.values():
        whole = product.name.lower()
        if whole in said or re.search(rf"\b{re.escape(whole.split()[-1])}s?\b", said):
            return product
    return None
