"""A small shop with a chat widget, for `make run`: the store's side without WordPress.

Its pages carry the same ``presence.js`` and ``stub.js`` as the plugin, read from ``wp-plugin``.
Read ``plugin.py`` for what the WordPress plugin does in PHP, ``buying.py`` for what it tells of
customers, ``rest_api.py`` for the WooCommerce that the bridge asks, ``pages.py`` for the shop
around it all.
"""

from datetime import UTC, datetime

from flask import Blueprint

from bridge.demo.buying import add_buying
from bridge.demo.connection import connection
from bridge.demo.orders import Orders
from bridge.demo.outgoing import Outgoing
from bridge.demo.pages import add_pages
from bridge.demo.plugin import add_plugin_routes
from bridge.demo.rest_api import add_rest_api
from bridge.demo.site import DemoSite

__all__ = ["DemoSite", "connection", "create_blueprint"]


def create_blueprint(site: DemoSite) -> Blueprint:
    """The demo's pages and routes, for the path ``/demo``.

    :param site: the site of this bridge that the demo's shop is connected to.
    :returns: a blueprint; the application that serves it serves the bridge's API as well.
    """
    blueprint = Blueprint(
        "demo",
        __name__,
        url_prefix="/demo",
        template_folder="templates",
        static_folder="static",
        static_url_path="/static",
    )
    orders, outgoing = Orders(datetime.now(UTC)), Outgoing(site)
    add_pages(blueprint, site)
    add_plugin_routes(blueprint, site, outgoing)
    add_buying(blueprint, site, outgoing, orders)
    add_rest_api(blueprint, site, orders)
    return blueprint
