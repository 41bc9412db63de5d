"""Migrations of the database, run by Alembic from `store.upgrade`."""
