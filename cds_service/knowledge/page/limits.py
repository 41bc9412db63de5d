"""Every number: with unit, specimen, population, performance, weakness and source."""

from __future__ import annotations

from cds_service.core.knowledge import KnowledgeBase
from cds_service.core.schema import LimitRow, PanelItem, PanelRow, RatioRow
from cds_service.knowledge.page.markdown import bullets, code, described, section, text
from cds_service.knowledge.page.subject import Subject


def limits(subject: Subject) -> str:
    """Limits, the panels that count them, and ratios."""
    knowledge = subject.knowledge
    return section(
        2,
        "Limits",
        "A limit is never carried to another specimen or another unit family.",
        *(_limit(limit, subject) for limit in knowledge.limits.values()),
        *(_panel(panel, subject) for panel in knowledge.panels.values()),
        *(_ratio(ratio, subject) for ratio in knowledge.ratios.values()),
    )


def measured(limit: LimitRow, knowledge: KnowledgeBase) -> str:
    """What a limit is of: the analyte, or another laboratory test."""
    if limit.of == knowledge.identity.id:
        return knowledge.identity.short_name
    return knowledge.companions[limit.of].row.title


def _limit(limit: LimitRow, subject: Subject) -> str:
    knowledge = subject.knowledge
    what = measured(limit, knowledge)
    specimen = knowledge.specimens[limit.specimen].words
    return section(
        3,
        f"{text(what)} {text(limit.words)}, {text(specimen)} ({code(limit.id)})",
        described(
            [
                ("On a card", text(f"{limit.amount} ({limit.title})")),
                ("Presumes", text(limit.presumes)),
                *(
                    (text(row.title.capitalize()), f"{row.value} {text(limit.unit)}")
                    for row in limit.younger
                ),
                ("Population", text(limit.population)),
                ("Assay", text(limit.assay)),
                ("Performance", text(limit.performance)),
                ("Weakness", text(limit.weakness)),
                ("Sources", subject.cite(limit.all_sources)),
            ]
        ),
    )


def _panel(panel: PanelRow, subject: Subject) -> str:
    knowledge = subject.knowledge
    specimen = knowledge.specimens[panel.specimen].words
    family = knowledge.families[panel.family].title
    return section(
        3,
        f"Count: {text(panel.title)} ({code(panel.id)})",
        f"For {text(specimen)} in {text(family)}. Each item is met, met if the sample was as its "
        "limit presumes, not met or unknown:",
        bullets(_item(item) for item in panel.item),
        f"Met by {panel.urgent_from} or more items without {text(knowledge.identity.short_name)}, "
        f"in every unit and specimen: urgent. Suggests: {subject.suggestions(panel.suggestions)}",
        f"Sources: {subject.cite(panel.sources)}",
    )


def _item(item: PanelItem) -> str:
    some = f"at least {item.at_least} of " if item.at_least > 1 else ""
    joined = ", ".join(code(limit) for limit in item.limits)
    return f"{text(item.title)}: {some}{joined}"


def _ratio(ratio: RatioRow, subject: Subject) -> str:
    return section(
        3,
        f"Ratio: {text(ratio.title)} ({code(ratio.id)})",
        "Reported without a cut-off, where all four results are there.",
        f"Sources: {subject.cite(ratio.sources)}",
    )
