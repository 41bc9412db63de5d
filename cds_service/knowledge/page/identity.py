"""What the knowledge is, for whom, in what state of review, and how it is signed off."""

from __future__ import annotations

from cds_service.core.knowledge import KnowledgeBase
from cds_service.core.rendering.disclaimer import disclaimer, review_status
from cds_service.core.review import Approved, Pending
from cds_service.knowledge.muted import what_is_muted
from cds_service.knowledge.page.markdown import code, described, section, table, text
from cds_service.knowledge.page.notices import copyrights
from cds_service.knowledge.page.subject import Subject

_USED = {True: "used", False: "not used", "not-applicable": "-"}


def identity(subject: Subject) -> str:
    """Identity, state of review and intended use."""
    about = subject.knowledge.identity
    return "\n\n".join(
        [
            section(
                2,
                "What this is, and its state of review",
                described(
                    [
                        ("Knowledge", code(subject.knowledge.tag)),
                        ("Analyte", text(about.analyte)),
                        ("State of review", text(state_of_review(subject.knowledge))),
                        ("Released", about.released.isoformat()),
                        ("To be reviewed by", about.review_by.isoformat()),
                        ("SHA-256 of the content", code(subject.digest)),
                        ("Publisher", text(about.publisher)),
                    ]
                ),
                "### What a site may change",
                _policy(subject.knowledge),
            ),
            section(2, "Intended use", text(about.intended_use)),
        ]
    )


def state_of_review(knowledge: KnowledgeBase) -> str:
    """The state, with the role of who signed or the reason why a signature no longer holds."""
    status = review_status(knowledge)
    match knowledge.review:
        case Pending(void) if void:
            return f"{status}; {void}"
        case Approved(role=role) if role:
            return f"{status} ({role})"
        case _:
            return status


def _policy(knowledge: KnowledgeBase) -> str:
    policy, about = knowledge.policy, knowledge.identity
    preliminary = "are interpreted" if policy.interpret_preliminary else "are not interpreted"
    return described(
        [
            ("Results looked at", f"those of the last {policy.look_back_days} days"),
            ("Preliminary results", preliminary),
            ("Other results count", f"within {about.companion_within_days} days of this one"),
            (
                "The summary names the day of a result",
                f"that is more than {about.summary_dated_after_days} days old",
            ),
            ("Results of two specimens are a pair", f"within {about.pair_within_days} days"),
            ("Suggested orders have the intent", code(policy.order_intent)),
            ("Findings muted by the site", text("; ".join(what_is_muted(knowledge)))),
            ("Factor of a laboratory's assay", _assays(knowledge)),
            ("Codes of the site for orders", _orders(knowledge)),
        ]
    )


def _assays(knowledge: KnowledgeBase) -> str:
    said = (
        f"{row.laboratory}: {row.factor} in family {row.family} ({row.source})"
        for row in knowledge.assays.values()
    )
    return text("; ".join(said))


def _orders(knowledge: KnowledgeBase) -> str:
    said = (
        f"{code(name)} as {code(row.code)} of {text(row.system)} ({text(row.display)})"
        for name, row in knowledge.orders.items()
    )
    return ", ".join(said)


def source_attributes(subject: Subject) -> str:
    """The source attributes asked of evidence-based decision support."""
    rows = [
        (str(number), text(row.title), _USED[row.used], text(row.text))
        for number, row in enumerate(subject.knowledge.attributes, start=1)
    ]
    return section(
        2,
        "Source attributes",
        "As 45 CFR 170.315(b)(11)(iv)(A) asks of evidence-based decision support.",
        table(("no.", "attribute", "in the rules", "statement"), rows),
    )


def sign_off(subject: Subject) -> str:
    """Copyright, the disclaimer, and what a reviewer does to sign."""
    knowledge = subject.knowledge
    command = (
        '    cds-service knowledge approve --reviewer "NAME" --role "ROLE" --file approval.toml'
    )
    return "\n\n".join(
        [
            section(2, "Copyright", copyrights(knowledge)),
            section(2, "Disclaimer", disclaimer(knowledge)),
            section(
                2,
                "Signing off",
                f"A signature is of {code(knowledge.tag)} with exactly the content whose SHA-256 "
                "stands at the top. Any later change voids it, and every card says again that the "
                "knowledge awaits review. What a site file adds is not part of it.",
                command,
                "Then let `CDS_APPROVAL` name that file. `cds-service knowledge check` says "
                "whether the signature holds.",
            ),
        ]
    )
