"""What all tests share: a zone that is not UTC, no way out to the network, and the knowledge."""

from __future__ import annotations

import ipaddress
import os
import socket
import sys
import time
from collections.abc import Iterator
from typing import Any

import pytest
from hypothesis import settings

from cds_service.core.knowledge import KnowledgeBase
from cds_service.knowledge.files import Library

ZONE = "CHAST-12:45CHADT,M9.5.0/2:45,M4.1.0/3:45"
"""The Chatham Islands, written out so that no zone database is needed: far from UTC, and not by
whole hours. A day taken from the local clock is then wrong often enough to be noticed."""

_CORE = "cds_service.core."

settings.register_profile("suite", deadline=None, derandomize=True)
settings.load_profile("suite")
"""No test watches the clock, and every run tries the same examples. For other ones:
`pytest --hypothesis-profile=default`."""


def pytest_addoption(parser: pytest.Parser) -> None:
    parser.addoption(
        "--update-golden", action="store_true", help="write the golden cards anew, then look at git"
    )


def pytest_configure() -> None:
    """Children inherit the zone as well."""
    os.environ["TZ"] = ZONE
    time.tzset()


def pytest_runtest_setup() -> None:
    """While `make mutation` notes which test reaches what, the engine keeps nothing from one test
    to the next: else the first would be noted for all that find its work in a cache.
    """
    if os.environ.get("MUTANT_UNDER_TEST") == "stats":
        core = [vars(module) for name, module in sys.modules.items() if name.startswith(_CORE)]
        for made in [made for names in core for made in names.values()]:
            if hasattr(made, "cache_clear"):
                made.cache_clear()


class NetworkForbidden(BaseException):
    """A test reached for the network. Not an Exception: nothing may catch it on the way."""


def _stays_here(family: int, address: Any) -> bool:
    if family == socket.AF_UNIX:
        return True
    host = address[0]
    try:
        return host == "localhost" or ipaddress.ip_address(host).is_loopback
    except ValueError:
        return False


@pytest.fixture(autouse=True, scope="session")
def _no_way_out() -> Iterator[None]:
    """Connections go to this machine's own loopback addresses or nowhere."""
    connect, connect_ex = socket.socket.connect, socket.socket.connect_ex

    def refuse(self: socket.socket, address: Any) -> None:
        if not _stays_here(self.family, address):
            raise NetworkForbidden("tests connect to loopback addresses only")

    def guarded(self: socket.socket, address: Any) -> None:
        refuse(self, address)
        connect(self, address)

    def guarded_ex(self: socket.socket, address: Any) -> int:
        refuse(self, address)
        return connect_ex(self, address)

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(socket.socket, "connect", guarded)
        patch.setattr(socket.socket, "connect_ex", guarded_ex)
        yield


@pytest.fixture(scope="session")
def library() -> Library:
    """The packaged knowledge, proved."""
    from tests.packaged import LIBRARY  # here: most rooms never need it

    return LIBRARY


@pytest.fixture(scope="session")
def sil2r(library: Library) -> KnowledgeBase:
    """The packaged knowledge of sIL-2R."""
    return library.bases["sil2r"]
