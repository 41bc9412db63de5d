"""Slips in the knowledge of the toy, one of each kind, and what the proof must say of them."""

from __future__ import annotations

from tests.unit.core.proof.case_slips import CASES
from tests.unit.core.proof.slip import Slip
from tests.unit.core.proof.table_slips import TABLE

CODES = {
    "a wrong check digit": Slip(
        "codes.toml", 'loinc = "9000001-9"', 'loinc = "9000001-8"',
        "toy/codes.toml (9000001-8)", "check digit",
    ),
    "a wrong check digit of a companion": Slip(
        "companions.toml", "9000021-7", "9000021-6", "toy/codes.toml (9000021-6)", "check digit",
    ),
    "a code accepted and refused": Slip(
        "codes.toml", '{ loinc = "9000011-8"', '{ loinc = "9000001-9"',
        "toy/codes.toml (9000001-9)", "two tables",
    ),
    "a code of ours and of a companion": Slip(
        "companions.toml", "9000021-7", "9000001-9", "toy/codes.toml (9000001-9)", "two tables",
    ),
    "a code refused and of a companion": Slip(
        "companions.toml", "9000021-7", "9000011-8", "toy/codes.toml (9000011-8)", "two tables",
    ),
    "a code of two companions": Slip(
        "companions.toml", "9000029-0", "9000028-2",
        "toy/companions.toml (9000028-2)", "of two tests",
    ),
    "a code of an unknown specimen": Slip(
        "codes.toml", 'specimen = "dew"', 'specimen = "rain"',
        "toy/codes.toml (9000003-5)", "'rain' does not exist",
    ),
    "a code of an unknown family": Slip(
        "codes.toml", 'family = "mole"', 'family = "moles"',
        "toy/codes.toml (9000005-0)", "'moles' does not exist",
    ),
    "a specimen code of an unknown kind": Slip(
        "codes.toml", 'kind = "dew"', 'kind = "rain"',
        "toy/codes.toml (DEW)", "'rain' does not exist",
    ),
    "a concept that includes nothing known": Slip(
        "conditions.toml", 'includes = ["fine-mould"]', 'includes = ["dust"]',
        "toy/conditions.toml (blight)", "'dust' does not exist",
    ),
    "a concept undetermined by nothing known": Slip(
        "conditions.toml", 'undetermined_by = ["mould"]', 'undetermined_by = ["dust"]',
        "toy/conditions.toml (fine-mould)", "'dust' does not exist",
    ),
}  # fmt: skip

NUMBERS = {
    "a unit of an unknown family": Slip(
        "units.toml", '"ng/mL", family = "mass"', '"ng/mL", family = "weight"',
        "toy/units.toml (ng/mL)", "'weight' does not exist",
    ),
    "a factor of zero": Slip(
        "units.toml", 'factor = "1000"', 'factor = "0"', "toy/units.toml (ng/mL)", "not positive",
    ),
    "a canonical unit that is not in the table": Slip(
        "units.toml", 'canonical = "pt/mL"', 'canonical = "p/mL"',
        "toy/units.toml (points)", "'p/mL' has no row here with factor 1",
    ),
    "a canonical unit with another factor": Slip(
        "units.toml", 'canonical = "pg/mL"', 'canonical = "ng/mL"',
        "toy/units.toml (mass)", "'ng/mL' has no row here with factor 1",
    ),
    "a canonical unit of another family": Slip(
        "units.toml", 'canonical = "pg/mL"', 'canonical = "pmol/L"',
        "toy/units.toml (mass)", "'pmol/L' has no row here with factor 1",
    ),
    "a companion in an unknown specimen": Slip(
        "companions.toml", 'specimen = "dew"', 'specimen = "rain"',
        "toy/companions.toml (albumin-csf)", "'rain' does not exist",
    ),
    "a companion unit with a negative factor": Slip(
        "companions.toml", 'factor = "10"', 'factor = "-10"',
        "toy/companions.toml (haemoglobin)", "not positive",
    ),
    "a companion unit with a factor of zero": Slip(
        "companions.toml", 'factor = "10"', 'factor = "0"',
        "toy/companions.toml (haemoglobin)", "not positive",
    ),
    "a companion code in a family without units": Slip(
        "companions.toml", '"9000022-5", family = "mole"', '"9000022-5", family = "moles"',
        "toy/companions.toml (ferritin)", "'moles' does not exist",
    ),
    "a limit of an unknown test": Slip(
        "limits.toml", 'of = "ferritin"', 'of = "iron"',
        "toy/limits.toml (ferritin-500)", "'iron' does not exist",
    ),
    "a limit of an unknown specimen": Slip(
        "limits.toml", 'specimen = "dew"', 'specimen = "rain"',
        "toy/limits.toml (dew-50)", "'rain' does not exist",
    ),
    "a limit in a unit of another test": Slip(
        "limits.toml", 'unit = "10*9/L"', 'unit = "g/L"',
        "toy/limits.toml (platelets-100)", "unit 'g/L' is unknown",
    ),
    "a number without a source": Slip(
        "limits.toml", 'sources = ["toy-2020"]', "sources = []",
        "toy/limits.toml (sap-100)", "no source",
    ),
    "a number with an unknown source": Slip(
        "limits.toml", 'sources = ["toy-2020"]', 'sources = ["toy-1999"]',
        "toy/limits.toml (sap-100)", "'toy-1999' does not exist",
    ),
    "a panel item of an unknown limit": Slip(
        "limits.toml", 'limits = ["ferritin-500"]', 'limits = ["ferritin-600"]',
        "toy/limits.toml (toy-items)", "'ferritin-600' does not exist",
    ),
    "a panel item that asks for more limits than it names": Slip(
        "limits.toml", "at_least = 2", "at_least = 4",
        "toy/limits.toml (toy-items)", "item 'cytopenia' asks for at least 4 of its 3 limits",
    ),
    "a panel item without limits": Slip(
        "limits.toml", 'limits = ["ferritin-500"]', "limits = []",
        "toy/limits.toml (toy-items)", "item 'ferritin' asks for at least 1 of its 0 limits",
    ),
    "a panel item that counts one cell line twice": Slip(
        "limits.toml", '"neutrophils-1"], at_least', '"platelets-100"], at_least',
        "toy/limits.toml (toy-items)", "item 'cytopenia' names a limit twice",
    ),
    "a panel that counts one result in two items": Slip(
        "limits.toml", 'limits = ["ferritin-500"]', 'limits = ["ferritin-500", "platelets-100"]',
        "toy/limits.toml (toy-items)", "limit 'platelets-100' is of two items",
    ),
    "a panel that is urgent from more items than there are beside its own": Slip(
        "limits.toml", "urgent_from = 2", "urgent_from = 4",
        "toy/limits.toml (toy-items)", "urgent from 4 items, and 3 rest on companions alone",
    ),
    "a panel in an unknown specimen": Slip(
        "limits.toml", 'title = "Toy items"\nspecimen = "sap"',
        'title = "Toy items"\nspecimen = "rain"',
        "toy/limits.toml (toy-items)", "'rain' does not exist",
    ),
    "a panel in an unknown family": Slip(
        "limits.toml", 'family = "points"', 'family = "marks"',
        "toy/limits.toml (toy-items)", "'marks' does not exist",
    ),
    "a panel with an unknown suggestion": Slip(
        "limits.toml", "urgent_from = 2", 'urgent_from = 2\nsuggestions = ["play"]',
        "toy/limits.toml (toy-items)", "'play' does not exist",
    ),
    "a companion's limit in a specimen that it is not measured in": Slip(
        "limits.toml", 'of = "ferritin"\nspecimen = "sap"', 'of = "ferritin"\nspecimen = "dew"',
        "toy/limits.toml (ferritin-500)", "'ferritin' is measured in sap, the limit is for dew",
    ),
    "an own limit with a number for an age": Slip(
        "limits.toml", 'met_when = "above"',
        'met_when = "above"\nyounger = [{ below_days = 9, title = "young", value = "1" }]',
        "toy/limits.toml (sap-1000)", "only a companion's limit",
    ),
    "an own limit that presumes something of the sample": Slip(
        "limits.toml", 'met_when = "above"', 'met_when = "above"\npresumes = "fasting"',
        "toy/limits.toml (sap-1000)", "only a companion's limit",
    ),
    "a number whose performance is of an unknown source": Slip(
        "limits.toml", 'weakness = "invented"',
        'weakness = "invented"\nperformance_sources = ["toy-1999"]',
        "toy/limits.toml (sap-100)", "'toy-1999' does not exist",
    ),
    "a panel with an unknown source": Slip(
        "limits.toml", 'sources = ["toy-2020"]\nurgent_from',
        'sources = ["toy-1999"]\nurgent_from',
        "toy/limits.toml (toy-items)", "'toy-1999' does not exist",
    ),
    "a ratio whose second companion is unknown": Slip(
        "limits.toml", 'denominator_albumin = "albumin-serum"',
        'denominator_albumin = "albumin-sap"',
        "toy/limits.toml (toy-index)", "'albumin-sap' does not exist",
    ),
    "a ratio with an unknown source": Slip(
        "limits.toml", '"albumin-serum"\nsources = ["toy-2020"]',
        '"albumin-serum"\nsources = ["toy-1999"]',
        "toy/limits.toml (toy-index)", "'toy-1999' does not exist",
    ),
    "a ratio of an unknown companion": Slip(
        "limits.toml", 'numerator_albumin = "albumin-csf"', 'numerator_albumin = "albumin-dew"',
        "toy/limits.toml (toy-index)", "'albumin-dew' does not exist",
    ),
}  # fmt: skip

WORDS = {
    "what a context found, told by no template": Slip(
        "context.toml", 'claim = "Mould raises toyin."',
        'claim = "Mould raises toyin."\nfound = "Mould is recorded."',
        "toy/context.toml (context-mould)", "'found' is used by nothing",
    ),
    "what a context found, with a placeholder that nothing fills": Slip(
        "context.toml", 'claim = "Mould raises toyin."',
        'claim = "Mould raises toyin."\nfound = "{weather} is recorded."',
        "toy/context.toml (context-mould)", "'found' asks for {weather}",
    ),
    "a template of nothing": Slip(
        "findings.toml", 'id = "toy-item-count"', 'id = "item-count"',
        "toy/templates/item-count.md", "missing",
    ),
    "a section that is missing": Slip(
        "templates/sap-high.md", "## not", "## notes", "toy/templates/sap-high.md", "'not'",
    ),
    "a section that nothing uses": Slip(
        "templates/sap-not-high.md", "## not", "## weakly\n\nx\n\n## not",
        "toy/templates/sap-not-high.md", "'weakly' is used by nothing",
    ),
    "a weakened finding without weak words": Slip(
        "templates/sap-high.md", "## weakly", "## feebly",
        "toy/templates/sap-high.md", "'weakly' is missing",
    ),
    "a placeholder that nothing fills": Slip(
        "templates/sap-high.md", "{value} in", "{number} in",
        "toy/templates/sap-high.md", "{number}, which nothing fills",
    ),
    "a placeholder of another template": Slip(
        "templates/sap-high.md", "{value} in", "{multiple} in",
        "toy/templates/sap-high.md", "{multiple}, which nothing fills",
    ),
    "the other result of a pair, where no pair is asked for": Slip(
        "templates/sap-high.md", "{value} in", "{other} in",
        "toy/templates/sap-high.md", "{other}, which nothing fills",
    ),
    "words for one specimen in a note that is the same for all": Slip(
        "templates/note-corrected.md", "## says", "## sap\n\nx\n\n## says",
        "toy/templates/note-corrected.md", "'sap' is used by nothing",
    ),
    "a limit that does not exist, named in words": Slip(
        "templates/sap-high.md", "{limit.sap-100}", "{limit.sap-200}",
        "toy/templates/sap-high.md", "{limit.sap-200}, which nothing fills",
    ),
    "a value in the headline of a note, where it would be that of the result": Slip(
        "templates/note-newer-urgent.md", "newer-urgent leads", "{value} leads",
        "toy/templates/note-newer-urgent.md", "{value}, which nothing fills",
    ),
    "a headline that does not fit into a summary": Slip(
        "templates/sap-high.md", "sap-high it is", "high " * 20,
        "toy/templates/sap-high.md", "longer than 72",
    ),
    "a count without the words that stand behind another headline": Slip(
        "templates/toy-item-count.md", "## alert", "## warning",
        "toy/templates/toy-item-count.md", "section 'alert' is missing",
    ),
    "a count behind a headline, of a panel that the row does not ask for": Slip(
        "templates/sap-high.md", "{value} in", "{met.toy-items} in",
        "toy/templates/sap-high.md", "{met.toy-items}, which nothing fills",
    ),
}  # fmt: skip

SHARED = {
    "a heading without words": Slip(
        "wording.toml", 'missing = "Missing"', "", "wording.toml [headings]", "'missing'",
    ),
    "a phrase without words": Slip(
        "wording.toml", 'date-unknown = "date unknown"', "", "wording.toml [phrases]",
        "'date-unknown'",
    ),
    "a direction without words": Slip(
        "wording.toml", 'broken = "not comparable"', "", "wording.toml [series]", "'broken'",
    ),
    "a disclaimer that does not name the knowledge": Slip(
        "disclaimer.md", "({knowledge})", "", "disclaimer.md", "must name the knowledge",
    ),
    "an approval that does not say by whom": Slip(
        "wording.toml", "read by {reviewer} on {date}", "read on {date}",
        "wording.toml [phrases]", "must name date and reviewer",
    ),
    "an approval with a brace that is no placeholder": Slip(
        "wording.toml", "read by {reviewer} on {date}", "read by {Reviewer}",
        "wording.toml [phrases]", "must name date and reviewer",
    ),
    "a review that is pending and names a reviewer": Slip(
        "wording.toml", '"unread"', '"unread by {reviewer}"',
        "wording.toml [phrases]", "'review-pending' must name nothing",
    ),
    "no words for a review that is pending": Slip(
        "wording.toml", 'review-pending = "unread"\n', "",
        "wording.toml [phrases]", "'review-pending' has no words",
    ),
    "an override reason without a code": Slip(
        "wording.toml", 'code = "toy"\n', "", "wording.toml [[override_reason]]", "C-02",
    ),
}  # fmt: skip

OF_THE_FOLDER = CODES | NUMBERS | TABLE | WORDS | CASES
SLIPS = {
    **{name: (f"toy/{slip.file}", slip) for name, slip in OF_THE_FOLDER.items()},
    **{name: (slip.file, slip) for name, slip in SHARED.items()},
}
