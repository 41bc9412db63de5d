"""Knowledge is proved, not hoped for.

`prove` raises the first fault of a knowledge base as KnowledgeError (file, row, remedy); `faults`
lists them all. It is proved that references resolve; that codes have right check digits; that every
sentence a card could need is there, with known placeholders only; and that the decision table gives
exactly what its groups promise for every value in every specimen and unit family, whatever else is
known or unknown.
"""

from __future__ import annotations

from collections.abc import Iterator

from cds_service.core.knowledge import KnowledgeBase
from cds_service.core.proof.references import reference_faults
from cds_service.core.proof.table import table_faults
from cds_service.core.proof.words import word_faults
from cds_service.errors import KnowledgeError


def prove(knowledge: KnowledgeBase) -> None:
    """Raise the first fault, if there is one."""
    for fault in faults(knowledge):
        raise fault


def faults(knowledge: KnowledgeBase) -> Iterator[KnowledgeError]:
    """All faults: references first, since words and table rest on them."""
    broken = list(reference_faults(knowledge))
    yield from broken
    if not broken:
        yield from word_faults(knowledge)
        yield from table_faults(knowledge)
