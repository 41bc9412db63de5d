"""The commands of `cds-service`: one module for each group, and what they share."""
