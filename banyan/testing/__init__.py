"""Official fakes for tests and benchmarks: a scripted engine, a replica, a packer, a model server.

`ScriptedEngine` and `FakeReplica`, whose weights can be changed, run inside the test's process;
`FakeServer` speaks OpenAI's chat protocol over HTTP (`python -m banyan.testing`). What they write
is what a rule says; `minimal` and `default_rule` are rules' tools. `PrefixCache` models what a
server would not compute again; `FakePacker` makes vectors of contexts. Twins of the stores, the
queue and the library are in `banyan/adapters/`.
"""

from banyan.testing.fake_replica import FakeReplica
from banyan.testing.fake_server import FakeServer
from banyan.testing.faults import Faults
from banyan.testing.longest import longest_rule
from banyan.testing.packer import FakePacker
from banyan.testing.prefix_cache import PrefixCache
from banyan.testing.rules import ANSWER, Rule, counting_rule, default_rule
from banyan.testing.schema_values import minimal
from banyan.testing.scripted import Call, ScriptedEngine

__all__ = [
    "ANSWER",
    "Call",
    "FakePacker",
    "FakeReplica",
    "FakeServer",
    "Faults",
    "PrefixCache",
    "Rule",
    "ScriptedEngine",
    "counting_rule",
    "default_rule",
    "longest_rule",
    "minimal",
]
