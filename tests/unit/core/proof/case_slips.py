"""Slips in the worked cases of the toy, and what the proof must say of them."""

from __future__ import annotations

from tests.unit.core.proof.slip import Slip

CASES = {
    "a case in a specimen that is not there": Slip(
        "cases.toml", 'loinc = "9000003-5", value = "51"',
        'loinc = "9000003-5", specimen = "rain", value = "51"',
        "toy/cases.toml (dew-beside-sap)", "'rain' does not exist",
    ),
    "a case in a status that is none": Slip(
        "cases.toml", 'age = "12"', 'age = "12", status = "finished"',
        "toy/cases.toml (seedling-within)", "'finished' does not exist",
    ),
    "a case of an unknown condition": Slip(
        "cases.toml", 'conditions = ["mould"', 'conditions = ["mold"',
        "toy/cases.toml (moulds-and-items)", "'mold' does not exist",
    ),
    "a case of an unknown medication": Slip(
        "cases.toml", 'medications = ["sunlight"', 'medications = ["daylight"',
        "toy/cases.toml (sunlight-below)", "'daylight' does not exist",
    ),
    "a case of an unknown companion": Slip(
        "cases.toml", "companions = { ferritin", "companions = { feritin",
        "toy/cases.toml (moulds-and-items)", "'feritin' does not exist",
    ),
    "a case of an unknown item": Slip(
        "cases.toml", '"sap-fine-mould", "context-mould"]',
        '"sap-fine-mould", "context-mould"], items = { iron = "met" }',
        "toy/cases.toml (moulds-and-items)", "'iron' does not exist",
    ),
    "a case of an unknown note": Slip(
        "cases.toml", '"sap-fine-mould", "context-mould"]',
        '"sap-fine-mould", "context-mould"], notes = ["items-are-met"]',
        "toy/cases.toml (moulds-and-items)", "'items-are-met' does not exist",
    ),
    "a case whose pair has a unit that is not there": Slip(
        "cases.toml", 'pair = "300 pg/mL"', 'pair = "300 pints"',
        "toy/cases.toml (dew-beside-sap)", "'pints' does not exist",
    ),
    "a case of a pair under a code that is not ours": Slip(
        "cases.toml", 'loinc = "9000003-5", value = "51"', 'loinc = "718-7", value = "51"',
        "toy/cases.toml (dew-beside-sap)", "'718-7' does not exist",
    ),
    "a case whose pair is in a unit that no code of that specimen has": Slip(
        "cases.toml", 'given = { loinc = "9000001-9", value = "100"',
        'given = { loinc = "9000001-9", pair = "3 pmol/L", value = "100"',
        "toy/cases.toml (moulds-and-items)", "no code of another specimen",
    ),
}  # fmt: skip
