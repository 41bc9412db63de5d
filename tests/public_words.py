"""The public words of sIL-2R knowledge (docs/integrating.md), written out once for all tests.

Kept by hand and apart from `cards/`: what clients rely on does not change because a table does.
"""

from __future__ import annotations

LABORATORY_LIMIT = {f"{place}-laboratory-limit" for place in ("above", "within", "below", "no")}
WARNINGS = {
    "hlh-2004-criterion-met",
    "hlh-adult-high-specificity",
    "ohi-index-positive",
    "csf-above-150",
}
"""Findings whose card is a warning; every other card informs."""
FINDINGS = (
    LABORATORY_LIMIT
    | WARNINGS
    | {
        "hlh-adult-less-likely",
        "hlh-2004-item-count",
        "ohi-index-negative",
        "atl-indolent-risk-low",
        "atl-indolent-risk-intermediate",
        "atl-indolent-risk-high",
        "sarcoidosis-supportive",
        "csf-not-above-150",
        "csf-serum-pair",
    }
)
"""Findings that stand in the table; `threshold-indeterminate` stands beside it."""
ADVICE = {
    f"order-{about}"
    for about in (
        "wrong-analyte",
        "codes-conflict",
        "invalid",
        "of-another-patient",
        "specimen-not-named",
        "specimen-conflict",
        "specimen-not-covered",
        "result-present",
        "laboratory-change",
        "csf-unpaired",
        "anti-cd25-therapy",
        "dialysis",
        "renal-impairment",
        "child",
    )
}
"""What a card about a draft order has in the place of findings (decision 46)."""
CONTEXTS = {
    "context-multiple-sclerosis",
    "context-sarcoidosis",
    "context-atl-meningeal",
    "context-nhl-meningeal",
    "context-subarachnoid-haemorrhage",
    "context-aseptic-meningitis",
    "context-cns-lymphoma",
    "context-sle",
    "context-hlh",
    "context-renal-impairment",
    "context-dialysis",
    "context-age-over-65",
    "context-child",
    "context-il2-therapy",
    "context-anti-cd25-therapy",
    "context-corticosteroids",
    "context-t-cell-depleting-therapy",
    "context-transplant",
    "context-hiv",
    "context-infection",
    "context-car-t",
}
MISSING = {
    "patient",
    "birth-date",
    "laboratory-limit",
    "specimen",
    "unit",
    "ferritin",
    "triglycerides",
    "fibrinogen",
    "haemoglobin",
    "platelets",
    "neutrophils",
    "creatinine",
    "albumin-serum",
    "albumin-csf",
    "atl-subtype",
    "conditions",
    "medications",
    "labs",
    "sil2r",
}
