"""The table of advice on orders is proved, and a second analyte has its own."""

from __future__ import annotations

import pytest

from cds_service.core.knowledge import KnowledgeBase, OrderTable
from cds_service.core.model import InvalidResource, Subject
from cds_service.core.orders.advice import Advised
from cds_service.core.orders.card import render_advice
from cds_service.core.orders.order import DraftOrder
from cds_service.core.proof import faults, prove
from tests import toy
from tests.unit.core.orders.ordering import advice_on, advised, ids, invalid, order


def test_an_analyte_without_orders_loads_and_says_nothing() -> None:
    base = toy.knowledge()
    prove(base)
    assert base.order_table == OrderTable()
    drafts: list[DraftOrder | InvalidResource] = [
        order(toy.SAP_POINTS),
        order(toy.LOOK_ALIKE, place=1),
        order(toy.LOOK_ALIKE, toy.SAP_POINTS, place=2),
        order(toy.SAP_POINTS, place=3, subject=Subject.ANOTHER_PATIENT),
        invalid("x"),
    ]
    found = advised(*drafts, knowledge=base)
    assert found.advice == ()
    assert len(found.skipped) == len(drafts)


TOY_ORDERS = """
[[advice]]
id = "order-sap"
rank = 1
claim = "Sap rises in spring."
sources = ["toy-2020"]
[advice.when]
order = "analyte"
specimen = "sap"
"""
TOY_WORDS = {
    "order-sap": "## headline\n\nsap\n\n## says\n\nSap {code}.\n\n## next\n\nWait.\n",
    "order-line": "## headline\n\n{name} {code}\n\n## says\n\n{name} {code}\n",
}


def toy_with(orders: str, **words: str) -> KnowledgeBase:
    texts = {**TOY_WORDS, **{name.replace("_", "-"): text for name, text in words.items()}}
    templates = {f"toy/templates/{name}.md": text for name, text in texts.items()}
    return toy.read({**toy.files(), **templates, "toy/orders.toml": orders})


def test_a_second_analyte_advises_by_its_own_table() -> None:
    base = toy_with(TOY_ORDERS)
    prove(base)
    advice = advice_on(order(toy.SAP_POINTS), knowledge=base)
    assert ids(advice) == ["order-sap"]
    (card,) = render_advice(Advised((advice,), ()), base, scope="toy")
    assert f"Sap {toy.SAP_POINTS}." in card.detail


@pytest.mark.parametrize(
    ("old", "new", "told"),
    [
        ('"toy-2020"', '"nobody-1900"', "'nobody-1900' does not exist"),
        ('specimen = "sap"', 'specimen = "milk"', "'milk' does not exist"),
        ('specimen = "sap"', 'mood = "good"', "'mood' does not exist"),
        ('specimen = "sap"', '"limit.sap-100" = "met"', "'limit.sap-100' does not exist"),
        ("rank = 1\n", 'rank = 1\nfound = "Sap."\n', "'found' is used by nothing"),
        ("rank = 1\n", 'rank = 1\nfound = "{read.sap-100}."\n', "asks for {read.sap-100}"),
        ('order = "analyte"\n', "", "does not say for which orders"),
        ('order = "analyte"', 'order = "look-alike"', "nothing more is known"),
        ("[[advice]]", f"{TOY_ORDERS.replace('rank = 1', 'rank = 2')}[[advice]]", "'rank'"),
    ],
)
def test_a_fault_of_the_table_is_told_with_its_row(old: str, new: str, told: str) -> None:
    assert old in TOY_ORDERS
    found = list(faults(toy_with(TOY_ORDERS.replace(old, new))))
    where = "toy/orders.toml (order-sap)"
    assert any(told in fault.text and fault.where == where for fault in found)
    assert all(fault.remedy for fault in found)


@pytest.mark.parametrize(
    ("rows", "row", "named"),
    [
        ('[[swap]]\nrefused = "9000001-9"\n', "9000001-9", "9000001-9"),
        ('[[swap]]\nrefused = "9000012-6"\n', "9000012-6", "9000012-6"),
        ('[[swap]]\nrefused = "9000011-8"\norder = "x"\n', "9000011-8", "x"),
        ('[[swap]]\nrefused = "9000011-8"\nloinc = "9654-5"\n', "9000011-8", "9654-5"),
        ('[[order]]\nsuggestion = "x"\nspecimen = "sap"\n', "x", "x"),
        ('[[order]]\nsuggestion = "x"\nspecimen = "milk"\n', "x", "milk"),
        ('[[pairing]]\nspecimen = "sap"\nsuggestions = ["x"]\n', "sap", "x"),
        ('[[pairing]]\nspecimen = "sap"\nsuggestions = ["ferritin"]\n', "sap", "ferritin"),
        ('[[pairing]]\nspecimen = "milk"\nsuggestions = ["x"]\n', "milk", "milk"),
    ],
)
def test_a_swap_an_own_order_and_a_pairing_lead_to_rows_that_exist(
    rows: str, row: str, named: str
) -> None:
    """Ferritin can be measured, and no suggestion here orders it."""
    found = [(fault.where, fault.text) for fault in faults(toy_with(TOY_ORDERS + rows))]
    assert (f"toy/orders.toml ({row})", f"'{named}' does not exist.") in found


def test_a_swap_is_for_a_code_of_the_specimen_that_its_order_is_for() -> None:
    """CSF would be drawn for a test of blood."""
    order = '[[order]]\nsuggestion = "x"\nspecimen = "sap"\n'
    swap = '[[swap]]\nrefused = "9000011-8"\norder = "x"\nloinc = "LOINC"\n'

    def told(loinc: str) -> list[str]:
        found = list(faults(toy_with(TOY_ORDERS + order + swap.replace("LOINC", loinc))))
        assert all(fault.remedy for fault in found)
        return [fault.text for fault in found if fault.where == "toy/orders.toml (9000011-8)"]

    assert told(toy.SAP_POINTS) == []
    assert told(toy.DEW_MASS) == [f"{toy.DEW_MASS} is of another specimen."]


def test_a_template_names_an_earlier_result_only_where_each_row_of_its_advice_asks_for_one() -> (
    None
):
    words = "## headline\n\nsap\n\n## says\n\n{value}\n\n## next\n\nWait.\n"
    asking = f'{TOY_ORDERS}earlier-result = "present"\n'
    assert list(faults(toy_with(asking, order_sap=words))) == []
    for rows in (asking + TOY_ORDERS, TOY_ORDERS + asking):
        (fault,) = faults(toy_with(rows, order_sap=words))
        assert "{value}" in fault.text


@pytest.mark.parametrize(
    ("gates", "placeholder"),
    [
        pytest.param('order = "analyte"', "performer", id="no laboratory is asked for"),
        pytest.param(
            'order = "analyte"\nearlier-result = ["present", "none"]', "value",
            id="there need not be an earlier result",
        ),
        pytest.param(
            'order = "analyte"\nlaboratory = ["same", "not-applicable"]', "laboratory",
            id="there need not be one with a laboratory",
        ),
        pytest.param(
            'order = ["invalid", "codes-conflict"]', "detail", id="not only of an invalid draft"
        ),
    ],
)  # fmt: skip
def test_a_template_that_asks_for_what_nothing_may_fill_is_a_fault(
    gates: str, placeholder: str
) -> None:
    words = f"## headline\n\nsap\n\n## says\n\n{{{placeholder}}}\n\n## next\n\nWait.\n"
    orders = TOY_ORDERS.partition("[advice.when]")[0] + f"[advice.when]\n{gates}\n"
    found = [fault.text for fault in faults(toy_with(orders, order_sap=words))]
    assert any(f"{{{placeholder}}}" in text for text in found)


def test_what_the_gates_make_sure_of_may_be_told() -> None:
    words = "## headline\n\nsap\n\n## says\n\n{value} {performer}\n\n## next\n\nWait.\n"
    orders = f'{TOY_ORDERS}earlier-result = "present"\nlaboratory = ["changed", "same"]\n'
    assert list(faults(toy_with(orders, order_sap=words))) == []


def test_analyte_order_and_limits_may_be_named_in_every_advice() -> None:
    said = "{analyte} {name} {code} {specimen} {days} {limit.sap-100}"
    words = f"## headline\n\nsap\n\n## says\n\n{said}\n\n## next\n\nWait.\n"
    assert list(faults(toy_with(TOY_ORDERS, order_sap=words))) == []
