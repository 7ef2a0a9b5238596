"""What the demo's shop sells."""

from dataclasses import dataclass
from decimal import Decimal


@dataclass(frozen=True)
class Product:
    """One thing in the shop; its picture is the macro of the same name in ``pictures.html``."""

    slug: str
    name: str
    price: Decimal
    line: str
    about: str
    facts: tuple[str, ...]


CATALOGUE = {
    product.slug: product
    for product in (
        Product(
            "morning-mug",
            "Morning Mug",
            Decimal("24.00"),
            "A big, warm handful.",
            "Thrown in one go and glazed in ochre, with a handle that takes three fingers and a "
            "foot that does not wobble. It holds enough for the time it takes to wake up.",
            ("Stoneware, 380 ml", "Dishwasher safe", "Made to order in two days"),
        ),
        Product(
            "little-teapot",
            "Little Teapot",
            Decimal("68.00"),
            "Pours without a drip.",
            "Two cups, no more: so that the second is still hot. The spout was cut and tried "
            "until it stopped dripping, and the lid stays on when you tip it.",
            ("Stoneware, 600 ml", "With a steel sieve", "In stock"),
        ),
        Product(
            "breakfast-bowl",
            "Breakfast Bowl",
            Decimal("29.50"),
            "For porridge and good intentions.",
            "Wide enough for fruit, deep enough for soup. The band of blue is brushed on by "
            "hand, so no two of them are quite alike.",
            ("Stoneware, 16 cm across", "Microwave safe", "In stock"),
        ),
        Product(
            "bud-vase",
            "Bud Vase",
            Decimal("34.00"),
            "One stem is plenty.",
            "Left unglazed on the outside, so that the clay shows, and glazed within, so that "
            "it holds water. A single branch from the garden is all it asks for.",
            ("Terracotta, 18 cm tall", "Waterproof", "Three left"),
        ),
        Product(
            "pour-over-set",
            "Pour-Over Set",
            Decimal("82.00"),
            "Slow coffee, on purpose.",
            "A ribbed cone over a glass carafe. Takes ordinary paper filters, sits steady, and "
            "makes two cups in about four minutes.",
            ("Porcelain and glass", "For size 2 filters", "In stock"),
        ),
        Product(
            "garden-blend",
            "Garden Blend",
            Decimal("16.50"),
            "Mint, verbena, a little fennel.",
            "Grown an hour from the workshop and dried in the shade. Caffeine-free, and kind to "
            "whoever has had too much of the pour-over.",
            ("Loose leaves, 80 g", "Organic", "In a tin you will keep"),
        ),
    )
}
