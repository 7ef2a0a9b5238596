"""The engine that calls stores."""
