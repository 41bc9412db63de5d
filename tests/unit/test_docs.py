"""The pages say what the code does: commands, settings, errors, metrics, findings, limits."""

from __future__ import annotations

import re
from collections.abc import Iterator

import click
import pytest
from flask.testing import FlaskClient

from cds_service.cli import cli
from cds_service.config import SETTING_NAMES, Mode, Settings, load_settings
from cds_service.core.finding import THRESHOLD_INDETERMINATE
from cds_service.core.knowledge import KnowledgeBase
from cds_service.core.rendering.disclaimer import disclaimer
from cds_service.core.verdict import Reason
from cds_service.errors import CdsError, ConfigurationError
from cds_service.knowledge.files import Library
from cds_service.logs import Event
from cds_service.metrics import Metrics, Reading
from cds_service.web.app import create_app
from tests.documentation import even, first_words, prose, rows, section, text_of

SETTINGS, INTEGRATING = "docs/settings.md", "docs/integrating.md"
CARDS, INTENDED_USE = "docs/cards.md", "docs/intended-use.md"
OPERATIONS = "docs/operations.md"


@pytest.fixture(scope="module")
def client(library: Library) -> FlaskClient:
    """The service with all its services."""
    return create_app(Settings(), library).test_client()


def test_the_readme_lists_the_services_there_are(client: FlaskClient) -> None:
    offered = {s["id"]: s["hook"] for s in client.get("/cds-services").get_json()["services"]}
    listed = {
        row[0].strip("`"): row[1].strip("`") for row in rows(section(INTEGRATING, "Which service"))
    }
    assert listed == offered
    named = re.findall(r"`(sil2r-[a-z-]+)`", section("README.md", "The services"))
    assert set(named) == set(offered)


def test_every_path_of_the_service_stands_on_the_page(client: FlaskClient) -> None:
    paths = {
        re.sub(r"^/cds-services/[^/]+", "/cds-services/{id}", path).replace("/sil2r", "/{analyte}")
        for path in client.get("/openapi.json").get_json()["paths"]
    }
    listed = {word.split()[1] for word in first_words(section(INTEGRATING, "Ten minutes"))}
    events = {"/events/{source}", "/events/{source}/{type}/{id}"}
    assert listed == paths | events


def commands(group: click.Group, path: str) -> Iterator[str]:
    for name, command in group.commands.items():
        if isinstance(command, click.Group):
            yield from commands(command, f"{path} {name}")
        else:
            yield f"{path} {name}"


def test_the_readme_lists_every_command_and_no_other() -> None:
    listed = {
        " ".join(re.split(r" [\[A-Z-]", row[0].strip("`"))[0].split())
        for row in rows(section("README.md", "Why this card?"))
    }
    assert listed == set(commands(cli, "cds-service"))


def test_the_readme_closes_with_the_disclaimer_of_the_cards(sil2r: KnowledgeBase) -> None:
    quoted = "\n".join(
        line.removeprefix(">") for line in text_of("README.md").splitlines() if line[:1] == ">"
    )
    assert even(quoted) == even(disclaimer(sil2r))


def as_written(default: object) -> str:
    """A default as the table of settings writes it."""
    match default:
        case None | "" | () | 0 if not isinstance(default, bool):
            return "none"
        case bool():
            return "on" if default else "off"
        case _:
            return str(default)


def test_every_setting_stands_in_the_table_with_its_default() -> None:
    table = {row[0].strip("`"): row[1].strip("`") for row in rows(prose(SETTINGS))}
    defaults = {f"CDS_{name.upper()}": getattr(Settings(), name) for name in SETTING_NAMES}
    assert table == {name: as_written(default) for name, default in defaults.items()}


def bounds() -> list[tuple[str, int, int]]:
    return [
        (row[0].strip("`"), int(found[1]), int(found[2]))
        for row in rows(prose(SETTINGS))
        if (found := re.search(r"from (\d+) to (\d+)", row[2]))
    ]


@pytest.mark.parametrize(("setting", "low", "high"), bounds())
def test_the_bounds_of_a_setting_are_those_of_the_table(setting: str, low: int, high: int) -> None:
    for inside in (low, high):
        settings = load_settings(Mode.SANDBOX, {setting: str(inside)})
        assert getattr(settings, setting.removeprefix("CDS_").lower()) == inside
    for outside in (low - 1, high + 1):
        with pytest.raises(ConfigurationError):
            load_settings(Mode.SANDBOX, {setting: str(outside)})


def designed(error: type[CdsError]) -> Iterator[type[CdsError]]:
    for child in error.__subclasses__():
        yield child
        yield from designed(child)


def test_every_error_stands_on_the_page_with_status_and_issue_code() -> None:
    codes = {error.code: error for error in designed(CdsError)}
    listed = {
        row[0].strip("`"): (int(row[1]), row[2].strip("`"))
        for row in rows(section(INTEGRATING, "Errors"))
    }
    met_at_start = {"CDS-5001", "CDS-5002", "CDS-5003"}
    assert listed == {
        code: (error.status, error.issue_type)
        for code, error in codes.items()
        if code not in met_at_start
    }
    assert met_at_start < set(codes)
    assert all(code in section(INTEGRATING, "Errors") for code in met_at_start)


def test_every_reason_and_every_missing_word_stands_on_the_page(sil2r: KnowledgeBase) -> None:
    assert first_words(section(INTEGRATING, "Reasons")) == [reason.value for reason in Reason]
    assert set(first_words(section(INTEGRATING, "Missing"))) == set(sil2r.wording.missing)


def test_every_metric_stands_on_the_page_with_its_labels() -> None:
    metrics = Metrics()
    metrics.answered(route="r", service="s", status=200, seconds=0.1)
    metrics.called(client="c", service="s", cards=1)
    metrics.card(service="s", outcome="o", findings=("f",), reason="r")
    metrics.withheld(service="s", count=1)
    metrics.lacked(("w",))
    metrics.not_fetched(key="k", fault="f")
    metrics.refused_token("c")
    metrics.feedback(service="s", outcome="o", count=1)
    metrics.notified(source="s", taken="t", missing=1)
    metrics.read(
        Reading(name, "s", "s", 1) for name in ("events", "events_day", "event_subscriptions")
    )
    counted = {
        f"{metric.name}_total" if metric.type == "counter" else metric.name: {
            label for sample in metric.samples for label in sample.labels if label != "le"
        }
        for metric in metrics.registry.collect()
    }
    table = rows(section(OPERATIONS, "The metrics"))
    listed = {name.strip("`"): set(re.findall("`(.+?)`", labels)) for name, labels, _ in table}
    assert listed == counted


def test_every_code_of_the_log_stands_on_the_page_with_its_level() -> None:
    listed = {row[0].strip("`"): row[1] for row in rows(section(OPERATIONS, "The log"))}
    assert listed == {code: level for code, level, _text in (event.value for event in Event)}


def test_every_finding_context_and_advice_stands_on_the_page(sil2r: KnowledgeBase) -> None:
    findings, contexts = {row.id for row in sil2r.findings}, {row.id for row in sil2r.contexts}
    ids = findings | contexts | {THRESHOLD_INDETERMINATE}
    listed = first_words(section(CARDS, "Findings"))
    assert set(listed) == ids
    assert len(listed) == len(ids)
    advice = {row.id for row in sil2r.order_table.advice}
    assert set(first_words(section(CARDS, "Order advice"))) == advice


def test_the_page_warns_where_the_table_does(sil2r: KnowledgeBase) -> None:
    indicators = {row.id: row.indicator for row in sil2r.findings}
    listed = [row for row in rows(section(CARDS, "Findings")) if len(row) == 3]
    assert len(listed) >= len(sil2r.findings)
    for finding, _fires, indicator in listed:
        assert indicator == indicators.get(finding.strip("`"), "info"), finding


def test_every_limit_stands_on_the_page_with_its_number(sil2r: KnowledgeBase) -> None:
    listed = {row[0].strip("`"): row[1:] for row in rows(section(CARDS, "Limits"))}
    assert listed == {
        limit.id: [
            f"`{limit.of}`",
            limit.specimen,
            f"{limit.met_when.replace('-', ' ')} {limit.value} {limit.unit}",
        ]
        for limit in sil2r.limits.values()
    }


def test_intended_use_is_one_sentence_everywhere(sil2r: KnowledgeBase) -> None:
    assert even(sil2r.identity.intended_use).replace("Helps", "sil2r-cds helps", 1) in even(
        section(INTENDED_USE, "Intended use")
    )


def test_every_hazard_names_a_test_that_guards_it() -> None:
    hazards = list(rows(section(INTENDED_USE, "Hazards")))
    assert [row[0] for row in hazards] == [f"H{number}" for number in range(1, 15)]
    assert all(re.search(r"\(\.\./tests/\S+\.py\)", row[3]) for row in hazards)
