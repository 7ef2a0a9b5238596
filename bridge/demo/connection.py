"""What the demo's shop tells the bridge of itself on connecting."""

from bridge import __version__
from bridge.demo.rest_api import PREFIX
from bridge.demo.site import DemoSite
from bridge.ports import StoreConnection

HTTP_PORT = 80


def connection(site: DemoSite, name: str, port: int) -> StoreConnection:
    """As the plugin tells it in ``POST /v1/store/connect``.

    :param site: the demo's site.
    :param name: the store's name.
    :param port: TCP port of the bridge, which serves the shop as well and so calls itself.
    """
    # As browsers write it.
    suffix = "" if port == HTTP_PORT else f":{port}"
    origins = tuple(f"http://{host}{suffix}" for host in ("localhost", "127.0.0.1", "[::1]"))
    return StoreConnection(
        store_url=f"{origins[0]}/demo/",
        # Where the demo listens; the name may lead to another address first.
        rest_url=f"{origins[1]}/demo{PREFIX}/",
        name=name,
        origins=origins,
        plugin_version=__version__,
        wordpress_version="demo",
        woocommerce_version="demo",
        timezone="UTC",
        woocommerce=site.woocommerce,
    )
