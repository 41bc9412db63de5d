"""Synthetic FHIR fixtures, named by story."""
