"""Which adapter asks the shop: by the scheme of `SHOP_API_URL`."""

from actions.self_service.acts import ShopPort
from actions.self_service.shopify import Shopify
from actions.self_service.signed_http import SignedHttpApi
from actions.self_service.woocommerce import WooCommerce

_BY_SCHEME: dict[str, type[Shopify] | type[WooCommerce]] = {"shopify": Shopify, "woocommerce": WooCommerce}


def shop_port(url: str, secret: str) -> ShopPort:
    """`woocommerce+https://…` and `shopify+https://…`; any other address is the signed HTTP API's."""
    scheme, plus, address = url.partition("+")
    adapter = _BY_SCHEME.get(scheme.lower()) if plus else None
    return adapter(address, secret) if adapter else SignedHttpApi(url, secret)
