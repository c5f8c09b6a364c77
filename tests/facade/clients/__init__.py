"""Programs that speak to OpenAI's interface, each as its users run it; see clients_env.py."""
