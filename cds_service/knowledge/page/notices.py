"""Copyright statements: ours, and those of the code systems whose codes are shown."""

from __future__ import annotations

from collections.abc import Iterable

from cds_service.core.knowledge import LOINC, KnowledgeBase
from cds_service.core.quantity import UCUM

SNOMED_CT = "http://snomed.info/sct"
RXNORM = "http://www.nlm.nih.gov/research/umls/rxnorm"

_NOTICES = {
    # The LOINC licence prescribes this text wherever LOINC content is passed on.
    LOINC: "This material contains content from LOINC (http://loinc.org). LOINC is copyright "
    "© Regenstrief Institute, Inc. and the Logical Observation Identifiers Names and Codes (LOINC) "
    "Committee and is available at no cost under the license at http://loinc.org/license. LOINC® "
    "is a registered United States trademark of Regenstrief Institute, Inc.",
    SNOMED_CT: "Holds SNOMED CT identifiers and terms. SNOMED CT is owned by SNOMED International "
    "and may be used only under a licence, which whoever uses this artifact must hold.",
    UCUM: "Holds codes of UCUM (http://unitsofmeasure.org), copyright Regenstrief Institute, Inc.",
    RXNORM: "Holds RxNorm identifiers, published by the U.S. National Library of Medicine, which "
    "does not endorse this product.",
}


def notices(ours: str, systems: Iterable[str]) -> str:
    """Our own statement, then that of each code system that asks for one."""
    others = (_NOTICES[system] for system in dict.fromkeys(systems) if system in _NOTICES)
    return "\n\n".join((ours, *others))


def copyrights(knowledge: KnowledgeBase) -> str:
    """The statements of a knowledge base, and of all code systems that it holds codes of."""
    specimens = (system for system, _ in knowledge.specimen_codes)
    found = {*specimens, *knowledge.conditions.systems, *knowledge.medications.systems}
    return notices(knowledge.identity.copyright, (LOINC, UCUM, *sorted(found)))
