"""A WooCommerce to ask: real HTTP or HTTPS on a loopback port, with a REST key that is checked.

    with woocommerce_store() as store:
        jane = store.add_customer("jane@example.test", "Jane", "Doe")
        store.add_order("jane@example.test", "25.00", customer_id=jane)
        ...  # ask store.rest_url with store.consumer_key and store.consumer_secret
        assert store.wait_for(1)[0].route == f"wc/v3/customers/{jane}"

It answers what the bridge asks as WooCommerce 9.5.1 does, WordPress' ``_fields`` and errors
included. ``store.fail(fault)`` makes it one of ``faults``, until ``store.recover()``.
"""

from tests.servers.woocommerce import faults
from tests.servers.woocommerce.api import Analytics
from tests.servers.woocommerce.store import StoreRequest, WooCommerceStore, woocommerce_store

__all__ = ["Analytics", "StoreRequest", "WooCommerceStore", "faults", "woocommerce_store"]
