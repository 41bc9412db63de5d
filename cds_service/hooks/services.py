"""The services, generated from the knowledge: what discovery lists is what can be called.

Each analyte has the same four services, told apart by the hook they are for; another analyte is
another folder of knowledge and nothing here. The prefetch templates keep to the subset that
clients widely support (CDS Hooks 2.0.1, "Prefetch query restrictions"; P-05): instance reads, and
type-level searches by token equality, `_sort` and `_count`.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from cds_service.core.json_object import JsonObject
from cds_service.core.knowledge import LOINC, KnowledgeBase
from cds_service.core.rendering.disclaimer import review_status
from cds_service.errors import KnowledgeError, NotFound
from cds_service.fhir.calls.query import in_query
from cds_service.fhir.wanted import Wanted, wanted_by
from cds_service.hooks.gather import THIS_PATIENT, Need, PrefetchTemplate
from cds_service.hooks.request import Trigger

SPECIFICATION_VERSION = "2.0.1"
"""Of the CDS Hooks specification: `version` in discovery (a field of CDS Hooks 3.0)."""

_OF_THIS_PATIENT = f"patient={THIS_PATIENT}"

_OCCASION = {
    Trigger.LAB_RESULT: "a result has arrived",
    Trigger.PATIENT_VIEW: "the chart is opened",
    Trigger.ORDER_SELECT: "an order is selected",
    Trigger.ORDER_SIGN: "an order is about to be signed",
}


@dataclass(frozen=True, slots=True)
class Service:
    """One CDS service: one analyte's knowledge for one hook."""

    trigger: Trigger
    hook: str
    knowledge: KnowledgeBase
    templates: Mapping[str, PrefetchTemplate]
    """By prefetch key, in the order of discovery."""
    wanted: Wanted
    """The codes worth reading in what is sent."""
    remark: str = ""
    """A sentence about this installation, added to each description in discovery."""

    @property
    def id(self) -> str:
        """The id under which it is called."""
        return self.trigger.service_id(self.knowledge.identity.id)

    def as_json(self) -> JsonObject:
        """The entry in discovery (D-04)."""
        identity = self.knowledge.identity
        title, description = self._words()
        return {
            "hook": self.hook,
            "title": f"{title} ({_OCCASION[self.trigger]})",
            "description": f"{description} {self.remark}".strip(),
            "id": self.id,
            "prefetch": {key: template.query for key, template in self.templates.items()},
            "usageRequirements": self._usage_requirements(),
            "version": SPECIFICATION_VERSION,
            "extension": {
                "org.sil2r-cds.knowledge": {
                    "knowledge": self.knowledge.tag,
                    "reviewStatus": review_status(self.knowledge),
                    # Relative to the address of discovery, as any link in a document is.
                    "sourceAttributes": f"knowledge/{identity.id}",
                }
            },
        }

    def _words(self) -> tuple[str, str]:
        """Title and description of what the service does at its occasion."""
        identity = self.knowledge.identity
        match self.trigger:
            case Trigger.LAB_RESULT | Trigger.PATIENT_VIEW:
                return identity.service_title, identity.service_description
            case Trigger.ORDER_SELECT | Trigger.ORDER_SIGN:
                return identity.order_service_title, identity.order_service_description

    def _usage_requirements(self) -> str:
        required = [
            f"Needs the prefetch {template.key}, or access to the FHIR server. "
            for template in self.templates.values()
            if template.need is Need.REQUIRED
        ]
        return f"FHIR R4. {''.join(required)}What else is missing is named on the card."


@dataclass(frozen=True, slots=True)
class ServiceRegistry:
    """All services by id, in the order discovery lists them."""

    services: Mapping[str, Service]

    def find(self, service_id: str) -> Service:
        """The service of this id. Raises NotFound."""
        try:
            return self.services[service_id]
        except KeyError:
            raise NotFound(
                "There is no such service.", remedy="GET /cds-services lists those there are."
            ) from None

    def discovery(self) -> JsonObject:
        """The discovery document (D-02)."""
        return {"services": [service.as_json() for service in self.services.values()]}


def build_registry(
    bases: Iterable[KnowledgeBase], *, lab_result_hook: str, remark: str = ""
) -> ServiceRegistry:
    """The services of every knowledge base.

    Raises KnowledgeError when two would have the same id: neither may hide the other (TR-01).
    """
    services: dict[str, Service] = {}
    for knowledge in bases:
        for trigger in Trigger:
            service = Service(
                trigger=trigger,
                hook=lab_result_hook if trigger is Trigger.LAB_RESULT else trigger.value,
                knowledge=knowledge,
                templates=prefetch_templates(knowledge, trigger),
                wanted=wanted_by(knowledge),
                remark=remark,
            )
            if service.id in services:
                raise KnowledgeError(
                    f"Two analytes have a service named {service.id}.", remedy="Rename a folder."
                )
            services[service.id] = service
    return ServiceRegistry(services)


def prefetch_templates(
    knowledge: KnowledgeBase, trigger: Trigger
) -> Mapping[str, PrefetchTemplate]:
    """What a service asks the client to send along, by prefetch key.

    `patient-view` requires the results, since there is nothing to say without them; the other hooks
    bring what they are about in their context.
    """
    analyte = [(LOINC, code) for code in knowledge.accepted]
    companions = [(LOINC, code) for code in knowledge.companion_loincs]
    need = Need.REQUIRED if trigger is Trigger.PATIENT_VIEW else Need.OPTIONAL
    own_key = knowledge.identity.id
    templates = (
        PrefetchTemplate("patient", f"Patient/{THIS_PATIENT}"),
        PrefetchTemplate(
            own_key, _observations([*analyte, *sorted(knowledge.local_codes)], count=50), need
        ),
        PrefetchTemplate("labs", _observations(companions, count=100)),
        PrefetchTemplate("conditions", f"Condition?{_OF_THIS_PATIENT}&_count=100"),
        PrefetchTemplate("medications", f"MedicationRequest?{_OF_THIS_PATIENT}&_count=100"),
    )
    return {template.key: template for template in templates}


def _observations(codes: Iterable[tuple[str, str]], *, count: int) -> str:
    tokens = ",".join(f"{in_query(system)}|{in_query(code)}" for system, code in codes)
    return f"Observation?{_OF_THIS_PATIENT}&code={tokens}&_sort=-date&_count={count}"
