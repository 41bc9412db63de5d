"""A site file in which every table has a row, and the toy as such a file changes it."""

from __future__ import annotations

from cds_service.core.knowledge import KnowledgeBase
from cds_service.core.site.file import apply_site, read_site
from tests import toy

TOY = toy.knowledge()
SYSTEM = "urn:oid:2.999.2"


def applied(text: str) -> KnowledgeBase:
    """The toy where a site has this file."""
    return apply_site({"toy": TOY}, read_site(text))["toy"]


GOOD = f"""
[[code]]
system = "{SYSTEM}"
code = "TOY-S"
loinc = "{toy.SAP_POINTS}"
note = "Laboratory A, 2026-01-15"

[[condition]]
system = "urn:oid:2.999.1"
code = "MOULDY"
means = "mould"
note = "Problem list, 2026-01-15"

[[unit]]
text = "Pkt/ml"
family = "points"
factor = "0.5"
note = "Laboratory A counts double."

[[specimen]]
system = "{SYSTEM}"
code = "TAU"
kind = "dew"
note = "Laboratory A"

[assay]
laboratory = "Laboratory A"
family = "points"
factor = "0.4"
source = "Letter of Laboratory A, 2026-01-15"

[policy]
look_back_days = 30
interpret_preliminary = true
muted_findings = ["sap-high"]
order_intent = "order"
"""
