"""FHIR Subscription notifications: parse, inbox, worker, delivery."""
