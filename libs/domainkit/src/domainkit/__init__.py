"""Plain building blocks for domain models; nothing here knows of a database or a wire."""
