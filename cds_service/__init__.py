"""CDS Hooks decision support for soluble IL-2 receptor results: from FHIR to a cited card."""

__version__ = "0.1.0"
