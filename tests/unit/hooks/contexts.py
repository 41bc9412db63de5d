"""The context that each hook brings."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from cds_service.hooks.request import Trigger

BUNDLE = {"resourceType": "Bundle", "type": "collection", "entry": [{"resource": {}}]}
CONTEXTS: Mapping[Trigger, dict[str, Any]] = {
    Trigger.LAB_RESULT: {"patientId": "p1", "results": BUNDLE},
    Trigger.PATIENT_VIEW: {"patientId": "p1"},
    Trigger.ORDER_SELECT: {
        "patientId": "p1",
        "selections": ["ServiceRequest/1"],
        "draftOrders": BUNDLE,
    },
    Trigger.ORDER_SIGN: {"patientId": "p1", "draftOrders": BUNDLE},
}
