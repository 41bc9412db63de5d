"""FHIR in files: one given on the command line, or an export of many patients."""
