"""What is written to a FHIR server: a resource of its own goes back as it came."""

from __future__ import annotations

import pytest

from cds_service.fhir.calls.exchange import Exchange, Sending
from cds_service.fhir.calls.fetched import HttpAnswer
from cds_service.strict_json import parse_object


@pytest.mark.parametrize(
    "number", ["1e400", "-1E+400", "1e-400", "1.50", "-0.0", "0.1234567890123456789", "9" * 60, "7"]
)
def test_a_number_that_a_server_keeps_is_given_back_to_the_last_digit(number: str) -> None:
    """As a binary number `1e400` would be `Infinity`, which is no JSON, and `1e-400` nothing."""
    text = f'{{"resourceType":"Subscription","id":"s","extension":[{{"valueDecimal":{number}}}]}}'
    sent: list[Sending] = []

    def send(sending: Sending) -> HttpAnswer:
        sent.append(sending)
        return HttpAnswer("application/fhir+json", sending.body)

    Exchange(send).update(parse_object(text.encode()))
    assert [sending.body for sending in sent] == [text.encode()]
