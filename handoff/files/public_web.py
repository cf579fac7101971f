"""A session that reads from the public web alone.

What an agent sends may hold addresses that others wrote (a quoted mail, a redirect): our own network's, the cloud's
metadata among them, are not asked, however their names resolve. The address is looked at once the connection stands and
before anything is sent on it.
"""

import ipaddress
import socket
from typing import Any

import requests
from requests.adapters import HTTPAdapter
from urllib3 import HTTPConnectionPool, HTTPSConnectionPool
from urllib3.connection import HTTPConnection, HTTPSConnection


class NotPublic(Exception):
    """The address is not one of the public web's."""


def session(also: str | None = None) -> requests.Session:
    """The session; addresses of the host `also`, the helpdesk's own, are asked wherever it stands."""
    made = requests.Session()
    made.trust_env = False
    adapter = _Adapter(_addresses(also) if also else frozenset())
    made.mount("http://", adapter)
    made.mount("https://", adapter)
    return made


def is_public(address: str) -> bool:
    """Whether an IP address is anybody's to reach."""
    found = ipaddress.ip_address(address.partition("%")[0])
    found = getattr(found, "ipv4_mapped", None) or found
    return found.is_global and not found.is_multicast


def _addresses(host: str) -> frozenset[str]:
    try:
        return frozenset(str(found[4][0]) for found in socket.getaddrinfo(host, None))
    except OSError:
        return frozenset()


class _Adapter(HTTPAdapter):
    def __init__(self, also: frozenset[str]) -> None:
        self._also = also
        super().__init__()

    def init_poolmanager(self, *arguments: Any, **options: Any) -> None:
        super().init_poolmanager(*arguments, **options)
        also = self._also

        class Plain(HTTPConnection):
            def _new_conn(self) -> socket.socket:
                return _checked(super()._new_conn(), also)

        class Encrypted(HTTPSConnection):
            def _new_conn(self) -> socket.socket:
                return _checked(super()._new_conn(), also)

        plain = type("Plain", (HTTPConnectionPool,), {"ConnectionCls": Plain})
        encrypted = type("Encrypted", (HTTPSConnectionPool,), {"ConnectionCls": Encrypted})
        self.poolmanager.pool_classes_by_scheme = {"http": plain, "https": encrypted}


def _checked(connection: socket.socket, also: frozenset[str]) -> socket.socket:
    address = str(connection.getpeername()[0])
    if is_public(address) or address in also:
        return connection
    connection.close()
    raise NotPublic("an address of our own network")
