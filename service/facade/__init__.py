"""Facade: OpenAI's interface over `solve`. Shapes and words are translated; nothing runs here."""
