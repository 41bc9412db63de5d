"""Proof of `orders.toml`: every name in it exists, every gate is possible, every word is there."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from cds_service.core.fact import UNKNOWN
from cds_service.core.knowledge import KnowledgeBase
from cds_service.core.orders.facts import Standing, order_fact_domains
from cds_service.core.orders.order import ORDER_LINE, ORDER_SWAP
from cds_service.core.proof.file import KnowledgeFile
from cds_service.core.results.reading import FROM_SPECIMEN
from cds_service.core.schema import AdviceRow, SwapRow
from cds_service.core.table import wanted
from cds_service.errors import KnowledgeError

Needed = tuple[str, set[str], set[str]]
"""A template, the sections it must have, and the placeholders it may use."""

_COMPARED = ("changed", "same", UNKNOWN)
"""Values of the fact `laboratory` where there is an earlier result that names one."""
_ABOUT_PATIENT = ("age.", "condition.", "medication.", "limit.")


def _values(row: AdviceRow, knowledge: KnowledgeBase) -> set[str]:
    """The placeholders that the template of an advice may use."""
    values = {"analyte", "name", "code", "specimen", "days"}
    values |= {f"limit.{limit}" for limit in knowledge.limits}
    if _asks_only(row, "earlier-result", "present") or _asks_only(row, "laboratory", *_COMPARED):
        values |= {"value", "date", "status", "laboratory", "performer"}
    if "pair" in row.when:
        values.add("lacking")
    if _asks_only(row, "order", Standing.INVALID):
        values.add("detail")
    if row.found:
        values.add(f"found.{row.id}")
    return values


def _asks_only(row: AdviceRow, fact: str, *values: str) -> bool:
    """Whether the row fires only with these values of a fact. If so, the earlier result or the
    fault in the draft that they imply is there, and the template may name it.
    """
    return fact in row.when and set(wanted(row.when, fact)) <= set(values)


def order_templates(knowledge: KnowledgeBase) -> list[Needed]:
    """The templates of everything that a card on an order may say."""
    table = knowledge.order_table
    if not table.advice:
        return []
    said = {"headline", "says", "next"}
    needed = [(ORDER_LINE, {"headline", "says"}, {"name", "code"})]
    if table.swaps:
        values = {"analyte", "name", "code", "text"}
        sections = {"label", "create", "delete", "drafted", "label-by-hand", "by-hand"}
        needed.append((ORDER_SWAP, sections, values))
    by_id: dict[str, set[str]] = {}
    for row in table.advice:
        values = _values(row, knowledge)
        by_id[row.id] = by_id.get(row.id, values) & values
    return [*needed, *((name, said, values) for name, values in by_id.items())]


def order_faults(
    knowledge: KnowledgeBase, of_results: Mapping[str, tuple[str, ...]]
) -> Iterator[KnowledgeError]:
    """Dangling names, impossible gates and swaps.

    `of_results` are the facts of the table for results, with their values; those about the patient
    are known for an order too.
    """
    table, file = knowledge.order_table, KnowledgeFile(knowledge.identity.id, "orders.toml")
    own_limits = {
        f"limit.{row.id}"  # asks for a value, which an order does not have
        for row in knowledge.limits.values()
        if row.of == knowledge.identity.id
    }
    about_patient = {
        fact: domain
        for fact, domain in of_results.items()
        if fact.startswith(_ABOUT_PATIENT) and fact not in own_limits
    }
    domains = {**about_patient, **order_fact_domains(knowledge)}
    for row in table.advice:
        yield from file.impossible(row.id, row.when, domains)
        yield from file.absent(row.id, row.sources, knowledge.sources)
        yield from _standing(row, file)
    yield from file.alternatives(table.advice, ("rank", "sources"))
    for own in table.own.values():
        yield from file.absent(own.suggestion, [own.suggestion], knowledge.suggestions)
        kinds = (*knowledge.specimens, FROM_SPECIMEN)
        yield from file.absent(own.suggestion, [own.specimen], kinds)
    for swap in table.swaps.values():
        yield from _swap(swap, file, knowledge)
    for pairing in table.pairings.values():
        possible = {*table.own, *(set(knowledge.companions) & set(knowledge.suggestions))}
        yield from file.absent(pairing.specimen, [pairing.specimen], knowledge.specimens)
        yield from file.absent(pairing.specimen, pairing.suggestions, possible)


def _standing(row: AdviceRow, file: KnowledgeFile) -> Iterator[KnowledgeError]:
    """Each advice must say for which orders it is. Of orders that are not for this analyte nothing
    else is known, so it may ask for nothing else.
    """
    if "order" not in row.when:
        remedy = 'Say order = "analyte", or what else it is for.'
        yield file.fault(row.id, "the advice does not say for which orders.", remedy)
    elif wanted(row.when, "order") != (Standing.ANALYTE,) and len(row.when) > 1:
        remedy = "Ask for the order alone, or for orders of the analyte."
        yield file.fault(row.id, "nothing more is known about such an order.", remedy)


def _swap(swap: SwapRow, file: KnowledgeFile, knowledge: KnowledgeBase) -> Iterator[KnowledgeError]:
    refused, order, loinc = swap.refused, swap.order, swap.loinc
    wrong = [code for code, row in knowledge.refused.items() if row.answer == "wrong-analyte"]
    yield from file.absent(refused, [refused], wrong)
    if order:
        yield from file.absent(refused, [order], knowledge.order_table.own)
    if not loinc:
        return
    yield from file.absent(refused, [loinc], knowledge.accepted)
    own = knowledge.order_table.own.get(order)
    accepted = knowledge.accepted.get(loinc)
    if own and accepted and accepted.specimen != own.specimen:
        remedy = "Choose a code of the specimen that the order is for."
        yield file.fault(refused, f"{loinc} is of another specimen.", remedy)
