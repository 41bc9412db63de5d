"""Plain FHIR R4: resources so ordinary that they are known as valid at little cost."""
