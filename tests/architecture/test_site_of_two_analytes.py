"""One site file serves all analytes: a row is for those that know what it names."""

from __future__ import annotations

from dataclasses import replace

import pytest

from cds_service.core.elements import Coding
from cds_service.core.site.file import apply_site, read_site
from cds_service.errors import KnowledgeError
from cds_service.knowledge.files import Library, with_site
from tests import toy

SITE = f"""
[[code]]
system = "urn:oid:2.999.2"
code = "SIL2R-S"
loinc = "9654-5"
note = "Central laboratory"

[[code]]
system = "urn:oid:2.999.2"
code = "TOY-S"
loinc = "{toy.SAP_POINTS}"
note = "Central laboratory"

[[condition]]
system = "urn:oid:2.999.1"
code = "ATL-C"
means = "atl-chronic"
note = "Problem list"

[[specimen]]
system = "urn:oid:2.999.3"
code = "LIQ"
kind = "csf"
note = "Central laboratory"

[[specimen]]
system = "urn:oid:2.999.3"
code = "URINE"
kind = "not-covered"
note = "Central laboratory"

[[unit]]
text = "UI/ml"
family = "U"
factor = "1"
note = "Printed by the analyser"

[[unit]]
text = "pikogram"
family = "mass"
factor = "1"
note = "Written out by the portal"

[assay]
laboratory = "Central laboratory"
family = "U"
factor = "0.81"
source = "Method comparison"

[policy]
look_back_days = 30
muted_findings = ["csf-above-150", "no-laboratory-limit"]

[orders.ferritin]
system = "urn:oid:2.999.2"
code = "FERR"
display = "Ferritin"
"""


@pytest.fixture(scope="module")
def at_a_site(both: Library, tmp_path_factory: pytest.TempPathFactory) -> Library:
    file = tmp_path_factory.mktemp("site") / "site.toml"
    file.write_text(SITE, encoding="utf-8")
    return with_site(both, file)


def test_a_row_of_the_site_reaches_the_analyte_that_knows_what_it_names(at_a_site: Library) -> None:
    ours, toys = at_a_site.bases["sil2r"], at_a_site.bases["toy"]
    assert ours.local_codes == {("urn:oid:2.999.2", "SIL2R-S"): "9654-5"}
    assert toys.local_codes == {("urn:oid:2.999.2", "TOY-S"): toy.SAP_POINTS}
    assert ours.conditions.of(Coding("urn:oid:2.999.1", "ATL-C")) >= {"atl-chronic"}
    assert ours.specimen_codes["urn:oid:2.999.3", "LIQ"] == "csf"
    assert ("urn:oid:2.999.3", "LIQ") not in toys.specimen_codes
    assert ("UI/ml" in ours.units, "UI/ml" in toys.units) == (True, False)
    assert (list(ours.assays), list(toys.assays)) == (["Central laboratory"], [])
    assert (list(ours.orders), list(toys.orders)) == (["ferritin"], [])


def test_a_row_of_the_site_that_both_analytes_know_is_for_both(at_a_site: Library) -> None:
    for base in at_a_site.bases.values():
        assert base.specimen_codes["urn:oid:2.999.3", "URINE"] == "not-covered"
        assert base.units["pikogram"].family == "mass"
        assert base.policy.look_back_days == 30
    muted = {name: base.policy.muted_findings for name, base in at_a_site.bases.items()}
    assert muted == {
        "sil2r": ("csf-above-150", "no-laboratory-limit"),
        "toy": ("no-laboratory-limit",),
    }


@pytest.mark.parametrize(
    ("row", "says", "remedy"),
    [
        (
            '[[code]]\nsystem = "s"\ncode = "X"\nloinc = "2276-4"\nnote = "n"',
            "LOINC 2276-4 is not in the knowledge.",
            ("9654-5", toy.SAP_POINTS),
        ),
        (
            '[[condition]]\nsystem = "s"\ncode = "X"\nmeans = "dust"\nnote = "n"',
            "nothing is called 'dust'.",
            ("atl-chronic", "blight"),
        ),
        (
            '[[specimen]]\nsystem = "s"\ncode = "X"\nkind = "rain"\nnote = "n"',
            "no kind 'rain'.",
            ("csf", "dew"),
        ),
        (
            '[[unit]]\ntext = "X"\nfamily = "weight"\nfactor = "1"\nnote = "n"',
            "no unit family 'weight'.",
            ("U", "points"),
        ),
    ],
)
def test_a_row_of_the_site_that_no_analyte_knows_is_refused_with_what_all_of_them_know(
    both: Library, row: str, says: str, remedy: tuple[str, ...]
) -> None:
    with pytest.raises(KnowledgeError) as refused:
        apply_site(both.bases, read_site(row))
    assert refused.value.text == says
    known = refused.value.remedy.removeprefix("Known: ").removesuffix(".").split(", ")
    assert set(remedy) <= set(known)
    assert len(known) == len(set(known))


def assay(more: str = "") -> str:
    return (
        '[assay]\nlaboratory = "Laboratory A"\nfamily = "mass"\nfactor = "0.5"\nsource = "Letter"\n'
        + more
    )


def test_a_laboratorys_factor_never_reaches_another_analyte_by_a_shared_unit(
    both: Library,
) -> None:
    """It was measured with one of them; both report in pg/mL."""
    with pytest.raises(KnowledgeError) as refused:
        apply_site(both.bases, read_site(assay()))
    assert refused.value.where == "site.toml ([assay])"
    assert refused.value.text == "the factor could be meant for sil2r or for toy."
    assert refused.value.remedy == 'Say which: analyte = "sil2r".'
    told = apply_site(both.bases, read_site(assay('analyte = "toy"')))
    assert (list(told["sil2r"].assays), list(told["toy"].assays)) == ([], ["Laboratory A"])
    with pytest.raises(KnowledgeError, match="no analyte 'other'"):
        apply_site(both.bases, read_site(assay('analyte = "other"')))


def unit(text: str, family: str = "mass", factor: str = "1") -> str:
    return f'[[unit]]\ntext = "{text}"\nfamily = "{family}"\nfactor = "{factor}"\nnote = "n"\n'


def test_a_unit_that_one_analyte_understands_already_is_added_to_the_other(both: Library) -> None:
    (text,) = (unit.text for unit in both.bases["sil2r"].units if unit.text == "pg/ml")
    assert text not in both.bases["toy"].units
    told = apply_site(both.bases, read_site(unit(text)))
    assert told["toy"].units[text].assumed == "n"
    assert told["sil2r"].unit_rows == both.bases["sil2r"].unit_rows


@pytest.mark.parametrize(
    "rows",
    [
        unit("pg/mL"),
        unit("pg/ml", factor="1000"),
        unit("X") + unit("X", factor="2"),
        unit("X", "points") + unit("X", "mass"),
    ],
    ids=["both understand it", "one reads it otherwise", "twice", "two families of one analyte"],
)
def test_a_unit_means_one_thing_to_each_analyte(both: Library, rows: str) -> None:
    with pytest.raises(KnowledgeError, match="understood already"):
        apply_site(both.bases, read_site(rows))


def test_one_unit_text_may_stand_in_families_of_two_analytes(both: Library) -> None:
    told = apply_site(both.bases, read_site(unit("E", "U") + unit("E", "points", "2")))
    assert (told["sil2r"].units["E"].family, told["toy"].units["E"].family) == ("U", "points")


def test_a_unit_is_refused_where_one_factor_would_lead_to_two_scales(both: Library) -> None:
    """pg/mL here and ng/mL there: the same factor would be wrong by a thousand for one of them."""
    family = both.bases["toy"].families["mass"].model_copy(update={"canonical": "ng/mL"})
    toys = both.bases["toy"]
    other = replace(toys, families={**toys.families, "mass": family})
    with pytest.raises(KnowledgeError, match="counted in ng/mL and in pg/mL"):
        apply_site({**both.bases, "toy": other}, read_site(unit("X")))
