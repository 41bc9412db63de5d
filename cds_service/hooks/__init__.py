"""The border with CDS Hooks: wire types, services, discovery, prefetch."""
