"""Applications with stand-ins for the other rooms."""

from __future__ import annotations

import base64
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from flask.testing import FlaskClient

from cds_service.config import Mode, Settings, Tls
from cds_service.hooks.call import Answered, Call
from cds_service.web import invocation
from cds_service.web.app import create_app
from cds_service.web.ports import Ports
from tests.unit.web.rooms import NOW, Memory, OneAccess, TokenGate, answered, card, library

SECURE = Settings(
    mode=Mode.PRODUCTION,
    public_url="https://cds.example.org",
    clients=Path("clients.toml"),
    tls=Tls.PROXY,
    data_key=base64.b64encode(bytes(range(32))).decode(),
    cors_origins=("https://ehr.example.org",),
    rate_limit=5,
)
BY_TLS = {"X-Forwarded-Proto": "https"}

Open = Callable[..., FlaskClient]


@pytest.fixture
def memory() -> Memory:
    return Memory()


@pytest.fixture
def access() -> OneAccess:
    return OneAccess()


@pytest.fixture
def calls(monkeypatch: pytest.MonkeyPatch) -> list[Call]:
    """The calls that were answered; each with one card, unless a test says otherwise."""
    seen: list[Call] = []

    def answer(call: Call) -> Answered:
        seen.append(call)
        return answered(card())

    monkeypatch.setattr(invocation, "answer", answer)
    return seen


@pytest.fixture
def sandbox(memory: Memory, access: OneAccess, calls: list[Call]) -> Open:
    """Opens a client of an application in sandbox mode; settings can be given."""
    assert calls == []

    def open_client(ports: dict[str, Any] | None = None, **settings: Any) -> FlaskClient:
        given = {"journal": memory, "shelf": memory, "reach": access, "now": lambda: NOW}
        app = create_app(Settings(**settings), library(), Ports(**{**given, **(ports or {})}))
        return app.test_client()

    return open_client


@pytest.fixture
def production(memory: Memory, access: OneAccess, calls: list[Call]) -> FlaskClient:
    """A client of an application in production mode, by TLS."""
    assert calls == []
    ports = Ports(gate=TokenGate(), journal=memory, shelf=memory, reach=access, now=lambda: NOW)
    client = create_app(SECURE, library(), ports).test_client()
    client.environ_base.update({"HTTP_X_FORWARDED_PROTO": "https"})
    return client
