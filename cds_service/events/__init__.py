"""FHIR Subscription notifications: inbox, worker, delivery."""
