"""The use cases, one a file: they ask the ports, let the domain decide, and record what changed."""
