"""The HTTP edge: `create_app` and thin blueprints."""
