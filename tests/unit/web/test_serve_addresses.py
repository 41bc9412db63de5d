"""Addresses that cannot be served are said before anything starts."""

from __future__ import annotations

import socket
from contextlib import closing
from functools import partial

import pytest

from cds_service.config import Settings
from cds_service.errors import ConfigurationError
from cds_service.web import serve as module
from cds_service.web.app import create_app
from cds_service.web.serve import serve
from tests.ports import free_port
from tests.unit.web.rooms import library


def test_one_port_for_service_and_metrics_is_refused_before_anything_starts(
    capsys: pytest.CaptureFixture[str],
) -> None:
    port = free_port()
    settings = Settings(management_port=port)
    app = partial(create_app, settings, library())
    with pytest.raises(ConfigurationError) as caught:
        serve(app, settings, knowledge="toy@2026.1", host="127.0.0.1", port=port, workers=1)
    assert "CDS_MANAGEMENT_PORT" in caught.value.where
    assert capsys.readouterr().err == ""


def test_an_address_that_is_taken_is_said_in_one_line() -> None:
    settings = Settings()
    with closing(socket.create_server(("127.0.0.1", 0))) as listener:
        port = listener.getsockname()[1]
        with pytest.raises(ConfigurationError) as caught:
            serve(
                lambda: create_app(settings, library()),
                settings,
                knowledge="toy@2026.1",
                host="127.0.0.1",
                port=port,
                workers=1,
            )
    assert caught.value.where == f"127.0.0.1:{port}"


def test_of_a_taken_port_of_metrics_the_setting_is_named_that_gives_it() -> None:
    with closing(socket.create_server(("127.0.0.1", 0))) as listener:
        settings = Settings(management_port=listener.getsockname()[1])
        with pytest.raises(ConfigurationError) as caught:
            module.require_addresses(settings, "127.0.0.1", free_port())
    assert "CDS_MANAGEMENT_PORT" in caught.value.remedy
    assert "--port" not in caught.value.remedy
