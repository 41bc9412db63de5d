"""`codes`: what a laboratory calls its tests, and what of it nobody has mapped."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

import fhir_fixtures
from tests.unit.cli.command_line import document, run, through_main


def test_codes_points_at_what_is_not_mapped() -> None:
    (code,) = document(run("codes", fhir_fixtures.path("local_code_unmapped"), "--json"))["codes"]
    assert (code["mapped"], code["worthALook"]) == (False, True)
    assert "look" in run("codes", fhir_fixtures.path("local_code_unmapped")).output


@pytest.mark.parametrize(
    "name",
    [
        *("IL 2 Receptor, Soluble", "SOLUBLE IL-2R", "lösl. IL2-Rezeptor", "sCD25", "CD 25"),
        *("可溶性IL-2レセプター", "可溶性\uff29\uff2c\uff0d\uff12", "インターロイキン-2レセプター"),
    ],
)
def test_codes_points_at_a_telling_name_wherever_it_stands(tmp_path: Path, name: str) -> None:
    own = {"system": "urn:oid:2.999.2", "code": "X7"}
    worded = {"resourceType": "Observation", "code": {"text": name}}
    named = {"resourceType": "Observation", "code": {"coding": [own], "text": name}}
    shown = {"resourceType": "Observation", "code": {"coding": [{**own, "display": name}]}}
    part = {"resourceType": "Observation", "component": [{"code": {"coding": [own], "text": name}}]}
    for observation, codes in ((worded, ""), (named, "X7"), (shown, "X7"), (part, "X7")):
        file = tmp_path / "observation.json"
        file.write_text(json.dumps(observation), encoding="utf-8")
        (code,) = document(run("codes", file, "--json"))["codes"]
        assert (code.get("code", ""), code["display"], code["worthALook"]) == (codes, name, True)


@pytest.mark.parametrize("name", ["IL-6", "Ferritin", "IL-23", "until 2", "CD4", "vial 2"])
def test_codes_does_not_point_at_other_names(tmp_path: Path, name: str) -> None:
    own = {"system": "urn:oid:2.999.2", "code": "X7", "display": name}
    file = tmp_path / "observation.json"
    observation = {"resourceType": "Observation", "code": {"coding": [own]}}
    file.write_text(json.dumps(observation), encoding="utf-8")
    (code,) = document(run("codes", file, "--json"))["codes"]
    assert code["worthALook"] is False
    file.write_text(json.dumps({"resourceType": "Observation", "code": {"text": name}}))
    assert document(run("codes", file, "--json"))["codes"] == []


SERUM = {"system": "http://loinc.org", "code": "9654-5"}
LOCAL = {"system": "urn:oid:2.999.2", "code": "X7", "display": "SIL2R"}


def codes_of(tmp_path: Path, *concepts: object) -> dict[str, tuple[bool, bool, bool]]:
    """By code: whether it is mapped, stands beside one that is, and is worth a look."""
    file = tmp_path / "seen.ndjson"
    seen = ({"resourceType": "Observation", "code": concept} for concept in concepts)
    file.write_text("\n".join(map(json.dumps, seen)))
    return {
        code["code"]: (code["mapped"], code["besideMapped"], code["worthALook"])
        for code in document(run("codes", file, "--json"))["codes"]
    }


@pytest.mark.parametrize(
    "system", ["https://loinc.org", "http://loinc.org/", "urn:oid:2.16.840.1.113883.6.1", None]
)
def test_codes_points_at_a_loinc_code_under_another_system(
    tmp_path: Path, system: str | None
) -> None:
    """Converters of other formats write LOINC so: its results are silently passed over."""
    other = {"code": "9654-5"} | ({"system": system} if system else {})
    assert codes_of(tmp_path, {"coding": [other]}) == {"9654-5": (False, False, True)}


@pytest.mark.parametrize("code", ["9654-5 ", "9654-5^sIL2R^LN", "SIL2R", "IL2-S"])
def test_codes_points_at_a_code_that_says_which_test_it_is_of(tmp_path: Path, code: str) -> None:
    system = "http://loinc.org" if code.startswith("9") else "urn:oid:2.999.2"
    seen = {"coding": [{"system": system, "code": code}]}
    assert codes_of(tmp_path, seen) == {code: (False, False, True)}
    output = run("codes", tmp_path / "seen.ndjson").output
    assert "look: results under these get no card." in output
    assert ("'9654-5 '" in output) is (code == "9654-5 ")


@pytest.mark.parametrize("code", ["19654-5", "9654-56", "1-9654-5", "IL6", "X7"])
def test_codes_does_not_point_at_other_codes(tmp_path: Path, code: str) -> None:
    seen = {"coding": [{"system": "urn:oid:2.999.2", "code": code}]}
    assert codes_of(tmp_path, seen) == {code: (False, False, False)}
    assert "look" not in run("codes", tmp_path / "seen.ndjson").output


def test_codes_does_not_point_at_a_code_that_always_stands_beside_a_mapped_one(
    tmp_path: Path,
) -> None:
    """A local code beside LOINC is read: to map it too would be idle work."""
    both = {"coding": [LOCAL, SERUM]}
    assert codes_of(tmp_path, both, both)["X7"] == (False, True, False)
    assert codes_of(tmp_path, both, {"coding": [LOCAL]})["X7"] == (False, False, True)
    shown = run("codes", tmp_path / "seen.ndjson").output
    assert [word in shown for word in ("look", "yes", "beside")] == [True, True, False]
    codes_of(tmp_path, both)
    assert "beside" in run("codes", tmp_path / "seen.ndjson").output


def test_codes_points_at_a_telling_name_beside_the_code_of_another_test(tmp_path: Path) -> None:
    ferritin = {"system": "http://loinc.org", "code": "2276-4"}
    seen = codes_of(tmp_path, {"coding": [LOCAL, ferritin]})
    assert seen == {"X7": (False, False, True), "2276-4": (True, False, False)}
    plain = {**LOCAL, "display": "Ferritin"}
    assert codes_of(tmp_path, {"coding": [plain, ferritin]})["X7"] == (False, True, False)


def test_codes_reads_a_bulk_export_line_by_line(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    story = json.loads(fhir_fixtures.path("local_code_unmapped").read_bytes())
    file = tmp_path / "Observation.ndjson"
    file.write_text(f"{json.dumps(story)}\n\n" * 2)
    (code,) = document(run("codes", file, "--json"))["codes"]
    assert (code["worthALook"], code["count"]) == (True, 2)
    file.write_text(f"{json.dumps(story)}\n{{")
    assert through_main(monkeypatch, "codes", file) == 1
    assert "Observation.ndjson line 2: This is not JSON." in capsys.readouterr().err
