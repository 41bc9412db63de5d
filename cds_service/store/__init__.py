"""What is kept: SQLAlchemy tables and migrations, one small module per thing stored."""
