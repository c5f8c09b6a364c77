"""Programs that speak to OpenAI's interface, as users run them, in `tests.fixtures.clients_env`."""
