"""How an answer leaves: in one piece, with its length, and for HEAD without its body."""

from __future__ import annotations

from typing import Any

import pytest
from flask.testing import FlaskClient
from werkzeug.test import EnvironBuilder

from tests.unit.web.conftest import Open
from tests.unit.web.rooms import hook_request

URL = "/cds-services/toy-patient-view"


def left(
    client: FlaskClient, method: str, path: str, body: dict[str, Any] | None = None
) -> tuple[dict[str, str], Any]:
    """The headers and the body as the server is given them."""
    headers: dict[str, str] = {}

    def start(_status: str, given: list[tuple[str, str]], *_fault: object) -> Any:
        headers.update(given)

    environ = EnvironBuilder(path, method=method, json=body).get_environ()
    return headers, client.application(environ, start)


@pytest.mark.parametrize(
    ("method", "path", "body"),
    [
        ("POST", URL, hook_request()),
        ("POST", URL, {}),
        ("GET", "/cds-services", None),
        ("GET", "/nothing", None),
    ],
    ids=["cards", "refused", "discovery", "not found"],
)
def test_an_answer_is_a_list_of_one_piece_which_the_server_sends_at_once(
    sandbox: Open, method: str, path: str, body: dict[str, Any] | None
) -> None:
    headers, said = left(sandbox(), method, path, body)
    assert isinstance(said, list)
    assert headers["Content-Length"] == str(len(*said))


def test_head_is_told_the_length_and_given_nothing(sandbox: Open) -> None:
    whole, (body,) = left(sandbox(), "GET", "/cds-services")
    headers, said = left(sandbox(), "HEAD", "/cds-services")
    assert said == []
    assert headers["Content-Length"] == whole["Content-Length"] == str(len(body))
