"""Official fakes for tests and benchmarks: a scripted engine and a fake model server.

`ScriptedEngine` runs inside the test's process; `FakeServer` speaks OpenAI's chat protocol over
HTTP (`python -m banyan.testing`). Both write what a rule says; `minimal` and `default_rule` are
rules' tools. Twins of the store, the queue and the library are in `banyan/adapters/`.
"""

from banyan.testing.fake_server import FakeServer
from banyan.testing.rules import ANSWER, Rule, default_rule
from banyan.testing.schema_values import minimal
from banyan.testing.scripted import Call, ScriptedEngine

__all__ = ["ANSWER", "Call", "FakeServer", "Rule", "ScriptedEngine", "default_rule", "minimal"]
