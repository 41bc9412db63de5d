"""What we write: drafts of orders, and the resources that events leave on a FHIR server."""
