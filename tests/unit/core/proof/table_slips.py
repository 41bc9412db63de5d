"""Slips in the decision table of the toy: its findings, contexts, groups, reasons and notes."""

from __future__ import annotations

from tests.unit.core.proof.slip import Slip

TABLE = {
    "a gate on an unknown fact": Slip(
        "findings.toml", '"limit.sap-1000" = "met"', '"limit.sap-2000" = "met"',
        "toy/findings.toml (sap-very-high)", "'limit.sap-2000' does not exist",
    ),
    "a gate on a value that the fact never has": Slip(
        "findings.toml", '"limit.sap-1000" = "met"', '"limit.sap-1000" = "yes"',
        "toy/findings.toml (sap-very-high)", "'yes' does not exist",
    ),
    "a finding with an unknown source": Slip(
        "findings.toml", 'sources = ["toy-2020"]', 'sources = ["toy-1999"]',
        "toy/findings.toml (sap-very-high)", "'toy-1999' does not exist",
    ),
    "a finding without a source": Slip(
        "findings.toml", 'sources = ["toy-2020"]', "sources = []",
        "toy/findings.toml (sap-very-high)", "no source",
    ),
    "a finding whose sources are of another specimen": Slip(
        "findings.toml", 'sources = ["toy-2020"]',
        'sources_by_section = { dew = ["toy-2020"] }',
        "toy/findings.toml (sap-very-high)", "no source",
    ),
    "a finding with sources for a section that no card speaks": Slip(
        "findings.toml", 'sources = ["toy-2020"]',
        'sources = ["toy-2020"]\nsources_by_section = { sap-mole = ["toy-2020"] }',
        "toy/findings.toml (sap-very-high)", "'sap-mole' does not exist",
    ),
    "a finding without a source where a context weakens it": Slip(
        "findings.toml", 'sources = ["toy-2020"]',
        'sources_by_section = { says = ["toy-2020"] }',
        "toy/findings.toml (sap-very-high)", "no source",
    ),
    "a finding that warns by one of its rows alone": Slip(
        "findings.toml", 'id = "sap-high"\n', 'id = "sap-not-high"\n',
        "toy/findings.toml (sap-not-high)", "differ in 'indicator'",
    ),
    "a finding of two ranks": Slip(
        "findings.toml", 'id = "sap-high"\n', 'id = "sap-very-high"\n',
        "toy/findings.toml (sap-very-high)", "differ in 'rank'",
    ),
    "a finding of two claims to sources": Slip(
        "findings.toml", '[[finding]]\nid = "sap-high"',
        '[[finding]]\nid = "sap-high"\nindicator = "warning"\nrank = 80\nclaim = "C."\n'
        'when = { specimen = "sap" }\nsources_by_section = { says = ["toy-2020"] }\n'
        '[[finding]]\nid = "sap-high"',
        "toy/findings.toml (sap-high)", "differ in 'sources'",
    ),
    "a medication that includes nothing known": Slip(
        "medications.toml", 'title = "moonlight"', 'title = "moonlight"\nincludes = ["starlight"]',
        "toy/medications.toml (moonlight)", "'starlight' does not exist",
    ),
    "a context with a gate on an unknown fact": Slip(
        "context.toml", '"condition.mould"', '"condition.dust"',
        "toy/context.toml (context-mould)", "'condition.dust' does not exist",
    ),
    "a context with a gate on a value that the fact never has": Slip(
        "context.toml", '"condition.mould" = "recorded"', '"condition.mould" = "yes"',
        "toy/context.toml (context-mould)", "'yes' does not exist",
    ),
    "a context without a source": Slip(
        "context.toml", 'claim = "Under 18."\nsources = ["toy-2020"]', 'claim = "Under 18."',
        "toy/context.toml (context-seedling)", "no source",
    ),
    "a context that weakens by one of its rows alone": Slip(
        "context.toml", 'id = "context-mould"', 'id = "context-seedling"',
        "toy/context.toml (context-seedling)", "differ in 'weakens'",
    ),
    "a context that blocks by one of its rows alone": Slip(
        "context.toml", 'id = "context-sunlight"', 'id = "context-mould"',
        "toy/context.toml (context-mould)", "differ in 'blocks'",
    ),
    "a note that is told of no answer": Slip(
        "reasons.toml", '[[reason]]\nid = "status-withdrawn"',
        '[[note]]\nid = "weather"\nclaim = "C."\nsources = ["toy-2020"]\n'
        '[[reason]]\nid = "status-withdrawn"',
        "toy/reasons.toml (note)", "'weather' does not exist",
    ),
    "a note without a source": Slip(
        "reasons.toml", '[[reason]]\nid = "status-withdrawn"',
        '[[note]]\nid = "corrected"\nclaim = "C."\n[[reason]]\nid = "status-withdrawn"',
        "toy/reasons.toml (corrected)", "no source",
    ),
    "a reason that is none": Slip(
        "reasons.toml", '[[reason]]\nid = "status-withdrawn"',
        '[[reason]]\nid = "weather"\nclaim = "C."\nsources = ["toy-2020"]\n'
        '[[reason]]\nid = "status-withdrawn"',
        "toy/reasons.toml (reason)", "'weather' does not exist",
    ),
    "a finding with an unknown suggestion": Slip(
        "findings.toml", 'sources = ["toy-2020"]',
        'sources = ["toy-2020"]\nsuggestions = ["play"]',
        "toy/findings.toml (sap-very-high)", "'play' does not exist",
    ),
    "a context that weakens an unknown finding": Slip(
        "context.toml", 'weakens = ["sap-high"', 'weakens = ["sap-higher"',
        "toy/context.toml (context-mould)", "'sap-higher' does not exist",
    ),
    "a context that blocks an unknown finding": Slip(
        "context.toml", 'blocks = ["sap-not-high"]', 'blocks = ["sap-low"]',
        "toy/context.toml (context-sunlight)", "'sap-low' does not exist",
    ),
    "an age with an unknown source": Slip(
        "context.toml", 'sources = ["toy-2020"]', 'sources = ["toy-1999"]',
        "toy/context.toml (adult)", "'toy-1999' does not exist",
    ),
    "a group of an unknown finding": Slip(
        "findings.toml", 'findings = ["sap-high", "sap-not-high"]', 'findings = ["sap-higher"]',
        "toy/findings.toml (sap)", "'sap-higher' does not exist",
    ),
    "a group where an unknown fact holds": Slip(
        "findings.toml", '"limit.sap-100" = ["met", "not-met"]', '"limit.sap-7" = ["met"]',
        "toy/findings.toml (sap)", "'limit.sap-7' does not exist",
    ),
    "a group where a fact has a value it never has": Slip(
        "findings.toml", '"limit.sap-100" = ["met", "not-met"]', '"limit.sap-100" = ["yes"]',
        "toy/findings.toml (sap)", "'yes' does not exist",
    ),
    "a reason that is missing": Slip(
        "reasons.toml", 'id = "unit-missing"', 'id = "unit-mislaid"',
        "toy/reasons.toml (reason)", "'unit-missing' does not exist",
    ),
    "a reason with an unknown source": Slip(
        "reasons.toml", 'sources = ["toy-2020"]', 'sources = ["toy-1999"]',
        "toy/reasons.toml (status-preliminary)", "'toy-1999' does not exist",
    ),
    "a reason with an unknown suggestion": Slip(
        "reasons.toml", 'sources = ["toy-2020"]',
        'sources = ["toy-2020"]\nsuggestions = ["play"]',
        "toy/reasons.toml (status-preliminary)", "'play' does not exist",
    ),
    "a muted finding that does not exist": Slip(
        "knowledge.toml", "interpret_preliminary = false",
        'interpret_preliminary = false\nmuted_findings = ["sap-low"]',
        "toy/knowledge.toml (policy)", "'sap-low' does not exist",
    ),
    "an indeterminate limit muted": Slip(
        "knowledge.toml", "interpret_preliminary = false",
        'interpret_preliminary = false\nmuted_findings = ["threshold-indeterminate"]',
        "toy/knowledge.toml (policy)", "'threshold-indeterminate' does not exist",
    ),
    "a gap between two findings of a group": Slip(
        "findings.toml", '"limit.sap-100" = "not-met" }', '"limit.sap-1000" = "met" }',
        "toy/findings.toml ([[group]] sap)", "none of its findings fired",
    ),
    "two findings of a group at once": Slip(
        "findings.toml", '"limit.sap-100" = "not-met" }', '"limit.sap-1000" = "not-met" }',
        "toy/findings.toml ([[group]] sap)", "sap-high and sap-not-high fired",
    ),
    "a value below the laboratory's range called within it": Slip(
        "findings.toml", 'laboratory-range = "within" }',
        'laboratory-range = ["within", "below"] }',
        "toy/findings.toml ([[group]] laboratory-range)",
        "below-laboratory-limit and within-laboratory-limit fired",
    ),
    "a gap where the age is unknown": Slip(
        "findings.toml", '"limit.sap-100" = "not-met" }',
        '"limit.sap-100" = "not-met", "age.adult" = ["yes", "no"] }',
        "toy/findings.toml ([[group]] sap)", "age.adult = unknown",
    ),
    "a gap where one condition is recorded": Slip(
        "findings.toml", '"limit.sap-100" = "not-met" }',
        '"limit.sap-100" = "not-met", "condition.mould" = ["not-recorded", "unknown"] }',
        "toy/findings.toml ([[group]] sap)", "condition.mould = recorded",
    ),
    "a promise that no finding keeps behind a comparator": Slip(
        "findings.toml", '"limit.sap-100" = ["met", "not-met"]',
        '"limit.sap-100" = ["met", "not-met", "straddles"]',
        "toy/findings.toml ([[group]] sap)", "limit.sap-100 = straddles",
    ),
    "a finding whose limits contradict each other": Slip(
        "findings.toml", '"limit.sap-1000" = "met" }',
        '"limit.sap-1000" = "met", "limit.sap-100" = "not-met" }',
        "toy/findings.toml (sap-very-high)", "can fire this row",
    ),
    "a finding on a limit of another specimen": Slip(
        "findings.toml", '"limit.dew-50" = "met" }', '"limit.sap-100" = "met" }',
        "toy/findings.toml (dew-high)", "can fire this row",
    ),
    "a finding on a limit of another unit family": Slip(
        "findings.toml", 'unit-family = "points", "limit.sap-100" = "met" }',
        'unit-family = "mass", "limit.sap-100" = "met" }',
        "toy/findings.toml (sap-high)", "can fire this row",
    ),
    "a finding on a limit of another specimen in one unit family": Slip(
        "findings.toml", 'unit-family = "points", "limit.sap-100" = "met" }',
        'unit-family = "mass", "limit.dew-50" = "met" }',
        "toy/findings.toml (sap-high)", "can fire this row",
    ),
    "a context on a limit of another specimen": Slip(
        "context.toml", '"condition.mould" = "recorded" }',
        '"condition.mould" = "recorded", specimen = "dew", "limit.sap-100" = "met" }',
        "toy/context.toml (context-mould)", "can fire this row",
    ),
    "a finding that no case fires": Slip(
        "cases.toml", '"sap-very-high", ', "", "toy/cases.toml (sap-very-high)", "fires it",
    ),
    "a context that no case fires": Slip(
        "cases.toml", ', "context-seedling"', "", "toy/cases.toml (context-seedling)", "fires it",
    ),
}  # fmt: skip
