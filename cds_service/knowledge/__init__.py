"""The knowledge as files: loaded and proved, approved, shown as a page, exported as FHIR."""
