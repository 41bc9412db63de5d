"""The knowledge as FHIR R4 resources, for those who keep knowledge artifacts in a FHIR repository.

Every artifact meets the shareable minimum of the Canonical Resource Management Infrastructure guide
(https://hl7.org/fhir/uv/crmi/): url, version, title, description, status, experimental, publisher.
The export documents what the table does, in words; it is not meant to be executed.
"""
