"""Sends one small solve and prints its answer; exit code 0 only where it completed."""

import json
import os
import sys
import urllib.request

request = urllib.request.Request(
    os.environ["BANYAN_URL"] + "/solve",
    json.dumps(
        {
            "goal": "What is the colour of the door?",
            "documents": [{"text": "The house is old. Its door is green."}],
            "limits": {"max_depth": 1, "max_nodes": 4, "max_tokens": 20000, "deadline_s": 300},
        }
    ).encode(),
    {
        "Authorization": "Bearer " + os.environ["BANYAN_API_KEY"],
        "Content-Type": "application/json",
        "Prefer": "wait=300",
    },
)
with urllib.request.urlopen(request, timeout=320) as reply:
    result = json.load(reply)
print(json.dumps({name: result[name] for name in ("id", "status", "answer", "error")}))
sys.exit(result["status"] != "completed")
