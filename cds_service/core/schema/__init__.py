"""The rows of the knowledge base, one closed and frozen type per TOML table.

An unknown key, a wrong type or an empty text is refused. The comparisons and their values live
here as closed vocabularies; `cards/` holds data only, never an expression. Each module is named by
what its tables are about.
"""

from cds_service.core.schema.cases import CaseRow, Expect, Given
from cds_service.core.schema.codes import (
    AcceptedCode,
    Companion,
    RefusedCode,
    SpecimenCode,
    SpecimenKind,
)
from cds_service.core.schema.concepts import AgeRow, Concept, ConceptCode
from cds_service.core.schema.findings import (
    ContextRow,
    FindingRow,
    GroupRow,
    NoteRow,
    ReasonRow,
    TableRow,
)
from cds_service.core.schema.identity import Identity, Policy, SourceAttribute
from cds_service.core.schema.limits import (
    LimitRow,
    MetWhen,
    PanelItem,
    PanelRow,
    RatioRow,
    YoungerLimit,
)
from cds_service.core.schema.orders import (
    AdviceRow,
    OwnOrderRow,
    PairingRow,
    SuggestionRow,
    SwapRow,
)
from cds_service.core.schema.row import Gates, Row
from cds_service.core.schema.site import (
    AssayFactor,
    OrderCode,
    Site,
    SiteCondition,
    SiteSpecimen,
)
from cds_service.core.schema.sources import DocumentRow, SourceRow, StatementRow
from cds_service.core.schema.units import RowUnit, UnitFamily

__all__ = [
    "AcceptedCode",
    "AdviceRow",
    "AgeRow",
    "AssayFactor",
    "CaseRow",
    "Companion",
    "Concept",
    "ConceptCode",
    "ContextRow",
    "DocumentRow",
    "Expect",
    "FindingRow",
    "Gates",
    "Given",
    "GroupRow",
    "Identity",
    "LimitRow",
    "MetWhen",
    "NoteRow",
    "OrderCode",
    "OwnOrderRow",
    "PairingRow",
    "PanelItem",
    "PanelRow",
    "Policy",
    "RatioRow",
    "ReasonRow",
    "RefusedCode",
    "Row",
    "RowUnit",
    "Site",
    "SiteCondition",
    "SiteSpecimen",
    "SourceAttribute",
    "SourceRow",
    "SpecimenCode",
    "SpecimenKind",
    "StatementRow",
    "SuggestionRow",
    "SwapRow",
    "TableRow",
    "UnitFamily",
    "YoungerLimit",
]
