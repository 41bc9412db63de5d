"""Slips of whoever writes site file, registry or settings: what, where, and what would be right.

In the words of this product: the checker behind it knows neither the file nor its reader.
"""

from __future__ import annotations

from pathlib import Path

import pytest

from cds_service.access.registry import load_registry
from cds_service.config import Mode, load_settings
from cds_service.core.site.file import apply_site, read_site
from cds_service.errors import CdsError
from cds_service.knowledge.approval import read_approvals
from tests import toy
from tests.unit.access.minting import EC, key_set

CLIENT = {"name": '"hospital"', "issuer": '"https://e.org"', "jwks_file": '"keys.json"'}
SOURCE = {"name": '"lab"', "fhir_server": '"https://e.org/fhir"', "secret_file": '"lab.secret"'}
CODE = {"system": '"s"', "code": '"X"', "loinc": f'"{toy.SAP_MASS}"', "note": '"n"'}
UNIT = {"text": '"X"', "family": '"mass"', "factor": '"1"', "note": '"n"'}
APPROVAL = {
    "knowledge": '"toy@2026.3"',
    "sha256": f'"{"0" * 64}"',
    "reviewer": '"A. Reviewer"',
    "date": "2026-11-21",
}
OF_THE_CHECKER = ("input should", "extra inputs", "field required", "should match", "value error")


def table(heading: str, row: dict[str, str], **other: str) -> str:
    """The row with other values; a key whose value is empty is left out."""
    cells = {key: value for key, value in (row | other).items() if value}
    return "\n".join([heading, *(f"{key} = {value}" for key, value in cells.items()), ""])


def client(**other: str) -> str:
    return table("[[client]]", CLIENT, **other)


def source(**other: str) -> str:
    return table("[[source]]", SOURCE, **other)


def said_of_registry(text: str, folder: Path) -> CdsError:
    (folder / "keys.json").write_bytes(key_set(EC))
    (folder / "lab.secret").write_text("a-shared-secret-of-the-test")
    with pytest.raises(CdsError) as told:
        load_registry(text, folder)
    return told.value


def said_of_site(text: str) -> CdsError:
    knowledge = toy.knowledge()
    with pytest.raises(CdsError) as told:
        apply_site({knowledge.identity.id: knowledge}, read_site(text))
    return told.value


def said_of_settings(text: str, folder: Path) -> CdsError:
    (folder / "cds.toml").write_text(text)
    with pytest.raises(CdsError) as told:
        load_settings(Mode.SANDBOX, {}, folder / "cds.toml")
    return told.value


def is_told(told: CdsError, where: str, right: str) -> None:
    """Where it is, what would be right, in one line, and no word of the checker."""
    line = told.one_line()
    assert where in line
    assert right in line
    assert "\n" not in line
    assert not any(word in line.lower() for word in OF_THE_CHECKER)


@pytest.mark.parametrize(
    ("text", "where", "right"),
    [
        (client(algorithm='["ES384"]'), "[[client]] 1 (hospital) algorithm", "algorithms?"),
        (client(colour='"red"'), "colour", "Known: name, issuer"),
        (client(name=""), "[[client]] 1 name", "Needed: name, issuer."),
        (client(name="5"), "[[client]] 1 name", "in quotation marks"),
        (client(name='"General Hospital"'), "name", "single points, hyphens"),
        (client(issuer='" https://e.org"'), "issuer", "without blanks around it"),
        (client(jwks_file=""), "(hospital)", "Give jwks_url or jwks_file."),
        (client(algorithms='"ES384"'), "algorithms", "in square brackets"),
        (client(algorithms='["HS256"]'), "algorithms.0", "'ES384'"),
        (client(algorithms="[]"), "algorithms", "leave the key out"),
        (client(fhir_servers="[5]"), "fhir_servers.0", "in quotation marks"),
        ('client = ["x"]\n', "[[client]] 1", 'name = "value"'),
        (client().replace("[[client]]", "[client]"), "client", "Write [[client]]."),
        (client().replace("[[client]]", "[[clients]]"), "clients.toml", "Did you mean client?"),
        (source(heartbeat="60"), "(lab) heartbeat", "heartbeat_seconds?"),
        (source(heartbeat_seconds='"60s"'), "heartbeat_seconds", "without quotation marks or unit"),
        (source(heartbeat_seconds="-1"), "heartbeat_seconds", "Write 0 or more."),
        (source(heartbeat_seconds="100000"), "heartbeat_seconds", "Write 86400 or less."),
        (source(reactivate='"yes"'), "reactivate", "Write true or false"),
        (source(delivery='"writeback"'), "delivery", "'write-back'"),
        (source(credentials='"bearer"'), "(lab)", "Give both or none."),
        (source(delivery='"hook"'), "(lab)", "Give both or none."),
        (
            source(credentials='"basic"', credentials_file='"lab.secret"'),
            "(lab)",
            "Give the one we are registered with.",
        ),
        (source(topic=f'"{"x" * 3000}"'), "topic", "at most 2048 characters"),
    ],
)
def test_a_slip_in_the_registry(text: str, where: str, right: str, tmp_path: Path) -> None:
    is_told(said_of_registry(text, tmp_path), where, right)


@pytest.mark.parametrize(
    ("text", "where", "right"),
    [
        (table("[[codes]]", CODE), "(codes)", "Did you mean code?"),
        (table("[code]", CODE), "(code)", "[[code]]"),
        ('code = ["x"]\n', "(code 1)", 'name = "value"'),
        (table("[[code]]", CODE, note=""), "(code 1 note)", "Needed: system, code, loinc, note."),
        (table("[[code]]", CODE, LOINC='"1-8"'), "(code 1 LOINC)", "Did you mean loinc?"),
        (table("[[code]]", CODE, system='""'), "(code 1 system)", "Write a text"),
        (table("[[code]]", CODE, code="5"), "(code 1 code)", "in quotation marks"),
        (table("[[unit]]", UNIT, factor="1.5"), "(unit 1 factor)", '"2400"'),
        (table("[[unit]]", UNIT, factor='"1,5"'), "(unit 1 factor)", '"1.5"'),
        (table("[[unit]]", UNIT, factor='"Infinity"'), "(unit 1 factor)", "finite"),
        ("[policy]\nlookback = 5\n", "(policy lookback)", "Did you mean look_back_days?"),
        ('[policy]\nlook_back_days = "1y"\n', "(policy look_back_days)", "digits only"),
        ("[policy]\nlook_back_days = 9999\n", "(policy look_back_days)", "Write 3650 or less."),
        ("[policy]\nlook_back_days = -3\n", "(policy look_back_days)", "Write 1 or more."),
        ('[policy]\ninterpret_preliminary = "no"\n', "interpret_preliminary)", "true or false"),
        ('[policy]\nmuted_findings = "x"\n', "(policy muted_findings)", "square brackets"),
        ("[policy]\nmuted_findings = [5]\n", "(policy muted_findings 1)", "quotation marks"),
        ('[policy]\norder_intent = "plan"\n', "(policy order_intent)", "'proposal' or 'order'"),
        ('[orders]\nsystem = "s"\n', "(orders system)", "[orders.<id>]"),
        ('[orders.play]\nsystem = "s"\ncode = "c"\n', "(orders play display)", "display."),
        ("look_back_days = 5\n", "(look_back_days)", "Known: code, condition"),
    ],
)
def test_a_slip_in_the_site_file(text: str, where: str, right: str) -> None:
    is_told(said_of_site(text), where, right)


@pytest.mark.parametrize(
    ("text", "where", "right"),
    [
        ('publicurl = "https://x"\n', "publicurl", "Did you mean public_url?"),
        ('CDS_PUBLIC_URL = "https://x"\n', "CDS_PUBLIC_URL", "Did you mean public_url?"),
        ('PUBLIC_URL = "https://x"\n', "PUBLIC_URL", "Did you mean public_url?"),
        ('[cds]\npublic_url = "https://x"\n', "cds", "under no [table]"),
        ("public_url = https://x\n", "at line 1", 'Write name = "value".'),
        ('deadline_ms = "400ms"\n', "deadline_ms", "a whole number from 1 to 60000"),
    ],
)
def test_a_slip_in_the_settings(text: str, where: str, right: str, tmp_path: Path) -> None:
    is_told(said_of_settings(text, tmp_path), where, right)


def test_settings_in_another_encoding_are_told_apart_from_no_toml(tmp_path: Path) -> None:
    (tmp_path / "cds.toml").write_bytes('public_url = "Müller"'.encode("latin-1"))
    with pytest.raises(CdsError, match="not text in UTF-8"):
        load_settings(Mode.SANDBOX, {}, tmp_path / "cds.toml")


def test_a_variable_is_told_in_the_spelling_of_a_variable() -> None:
    with pytest.raises(CdsError) as told:
        load_settings(Mode.SANDBOX, {"CDS_PUBLICURL": "https://x"})
    is_told(told.value, "CDS_PUBLICURL", "Did you mean CDS_PUBLIC_URL?")


@pytest.mark.parametrize(
    ("file", "old", "new", "right"),
    [
        ("limits.toml", 'assay = "invented"', 'assays = "invented"', "Did you mean assay?"),
        ("limits.toml", 'population = "invented"\n', "", "Needed: id, of, specimen"),
        ("limits.toml", 'value = "100"', "value = 100", '"2400"'),
        ("cases.toml", 'age = "40", low', 'ages = "40", low', "Did you mean age?"),
        ("findings.toml", 'indicator = "warning"', 'indicator = "critical"', "'info' or 'warning'"),
        ("context.toml", 'id = "context-mould"', 'id = "mould"', "context-transplant"),
        ("knowledge.toml", 'version = "2026.3"', 'version = "three"', "as in 2026.1"),
        ("knowledge.toml", 'id = "toy"', 'id = "Toy"', "small letters"),
    ],
)
def test_a_slip_in_the_tables_of_the_knowledge(file: str, old: str, new: str, right: str) -> None:
    with pytest.raises(CdsError) as told:
        toy.read(toy.edited(f"toy/{file}", old, new))
    is_told(told.value, f"toy/{file} [", right)


@pytest.mark.parametrize(
    ("row", "where", "says"),
    [
        ({"knowledge": '"toy"'}, "(approval 1 knowledge)", "no version of a knowledge"),
        ({"sha256": '"abc"'}, "(approval 1 sha256)", "no digest"),
        ({"reviewer": '"X"'}, "(approval 1 reviewer)", "too short"),
        ({"date": '"today"'}, "(approval 1 date)", "no date"),
        ({"signed": "true"}, "(approval 1 signed)", "nothing here is called so"),
    ],
)
def test_a_slip_in_the_approval_file(
    row: dict[str, str], where: str, says: str, tmp_path: Path
) -> None:
    (tmp_path / "approval.toml").write_text(table("[[approval]]", APPROVAL, **row))
    with pytest.raises(CdsError) as told:
        read_approvals(tmp_path / "approval.toml")
    assert says in told.value.text
    is_told(told.value, where, "written by `cds-service knowledge approve`")
