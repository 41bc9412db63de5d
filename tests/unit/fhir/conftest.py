"""What a reading of FHIR costs: calls are counted, never seconds."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from cds_service.core.json_object import JsonObject
from cds_service.fhir import validate


@pytest.fixture
def asked(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """The types of the resources about which the models were asked, in turn."""
    kinds: list[str] = []
    check_fully = validate.check_fully

    def counting(what: JsonObject) -> None:
        kinds.append(what["resourceType"])
        check_fully(what)

    monkeypatch.setattr(validate, "check_fully", counting)
    return kinds


def calls_of(monkeypatch: pytest.MonkeyPatch, module: object, name: str) -> list[object]:
    """What a function of a module is called with, from now on."""
    seen: list[object] = []
    real: Callable[..., object] = getattr(module, name)

    def counting(what: object, *more: object) -> object:
        seen.append(what)
        return real(what, *more)

    monkeypatch.setattr(module, name, counting)
    return seen
