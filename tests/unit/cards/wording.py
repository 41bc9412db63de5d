"""Every text of the packaged knowledge that can reach a card."""

from __future__ import annotations

from collections.abc import Iterator
from functools import cache

from tests.packaged import SIL2R


@cache
def words() -> dict[str, str]:
    """Template -> all its wording, placeholders by name."""
    return {
        name: "\n".join("".join(wording.parts) for wording in template.values())
        for name, template in SIL2R.templates.items()
    }


def section(template: str, name: str) -> str:
    """The wording of one section, placeholders by name."""
    return "".join(SIL2R.templates[template][name].parts)


def everything_said() -> Iterator[tuple[str, str]]:
    """Every text that can reach a card, with where it stands."""
    yield from words().items()
    yield "disclaimer", "".join(SIL2R.wording.disclaimer.parts)
    for finding in SIL2R.findings:
        yield f"claim of {finding.id}", finding.claim
    for context in SIL2R.contexts:
        yield f"claim of {context.id}", context.claim
    for reason in SIL2R.reasons.values():
        yield f"claim of {reason.id}", reason.claim
    for advice in SIL2R.order_table.advice:
        yield f"claim of {advice.id}", advice.claim
    for suggestion in SIL2R.suggestions.values():
        yield f"suggestion {suggestion.id}", f"{suggestion.label}. {suggestion.text}"
    for statement in SIL2R.statements:
        yield f"our words on {statement.id}", statement.our_words
