"""Calls to other servers: what may be asked of whom, by which way, until when."""
