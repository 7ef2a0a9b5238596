"""A small shop with a chat widget, for `make run`: the store's side without WordPress.

Its pages carry the same ``presence.js`` and ``stub.js`` as the plugin, read from ``wp-plugin``.
Read ``plugin.py`` for what the WordPress plugin does in PHP, ``pages.py`` for the shop around it.
"""

from flask import Blueprint

from bridge.demo.pages import add_pages
from bridge.demo.plugin import add_plugin_routes
from bridge.demo.site import DemoSite

__all__ = ["DemoSite", "create_blueprint"]


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
    add_pages(blueprint, site)
    add_plugin_routes(blueprint, site)
    return blueprint
