"""Words that no card may say of a patient, and the few sentences that may name a treatment."""

from __future__ import annotations

import re

OF_THE_PATIENT = re.compile(
    r"\b(?:the|this|your) patient (?:has|is|had|suffers|shows|needs|should|must)\b|"
    r"\b(?:diagnosed|diagnostic|confirm\w*|prov(?:es|en|ed)|due to|caused by|consistent with|"
    r"exclude[sd]?|excluding|ruled? (?:in|out)|rul(?:es|ing) (?:in|out)|reassur\w*|all[- ]clear)\b",
    re.IGNORECASE,
)
DIAGNOSIS = re.compile(r"(?:\S+ )?\bdiagnos\w*", re.IGNORECASE)

THERAPY = re.compile(
    r"\b(?:therap\w*|treat\w*|drugs?|steroids?|corticosteroids?|chemo\w*|start|stop|begin|"
    r"initiate|give|given|administer\w*|prescribe\w*|taper\w*|withhold|escalate|inject\w*|"
    r"infusions?|doses?|etoposide|anakinra|ruxolitinib|emapalumab|infliximab|methotrexate|"
    r"rituximab|tocilizumab|ciclosporin|dexamethasone|pred\w+|immunoglobulins?|basiliximab|"
    r"daclizumab|denileukin|aldesleukin|globulin|muromonab\w*|CAR-T)\b",
    re.IGNORECASE,
)
SPEAKS_OF_TREATMENT = {
    r"by itself no ground for treatment": "the opposite of advice",
    r"^It gives no treatment advice": "the disclaimer",
    r"recorded$|recorded: |^A recorded drug binds": "what the record holds",
    r"^(?:- )?Interleukin 2 is recorded as a medication": "what the record holds",
    r"can lower|may see only the unbound part|can raise|effect on assays": "disturbs the assay",
    r"^For low doses": "what is not known",
    r"^It makes the soluble receptor appear \(?|shown for aldesleukin": "disturbs the assay",
    r"^Ask when the last dose was|^Ask whether, and when, basiliximab": "asks about the record",
    r"under basiliximab": "figures of a study",
    r"^Higher values when treatment began|falls with treatment|^Treated disease": "of a study",
    r"in untreated|for untreated|separated untreated ones": "patients of a study",
    r"^Under corticosteroids sarcoidosis averaged": "figures of a study",
    r"^Within weeks of the infusion|^After CAR-T|CAR-T cells are recorded": "of the condition",
    r"how CAR-T cells change sIL-2R": "what is not known",
    r"^The local cell-therapy protocol comes first": "sends to the protocol, and names none",
}
