"""What a site file adds to the knowledge; nothing of it stands in `cards/`."""

from __future__ import annotations

from cds_service.core.schema.row import ExactNumber, Row, Text


class AssayFactor(Row):
    """`[assay]`: one laboratory's own factor to the scale of the studies, inside one unit family.

    Never a conversion between families. Without its written source it is refused.
    """

    laboratory: Text
    family: Text
    factor: ExactNumber
    source: Text


class OrderCode(Row):
    """`[orders.<suggestion id>]`: the code under which the site orders a suggested test."""

    system: Text
    code: Text
    display: Text
