"""The border with FHIR: everything that knows how a FHIR resource looks."""
