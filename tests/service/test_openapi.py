"""The OpenAPI document is what other clients are made from: it must be whole and true."""

from __future__ import annotations

import json
import re
from typing import Any

from jsonschema import Draft202012Validator

from tests.service.house import House


async def described(house: House) -> dict[str, Any]:
    document: dict[str, Any] = (await house.http.get("/openapi.json")).json()
    return document


async def test_every_reference_points_to_a_schema(house: House) -> None:
    document = await described(house)
    names = set(re.findall(r'"#/components/schemas/([^"]+)"', json.dumps(document)))

    assert names
    assert names <= document["components"]["schemas"].keys()


async def test_every_operation_says_what_it_does(house: House) -> None:
    for path, operations in (await described(house))["paths"].items():
        for method, operation in operations.items():
            assert operation["summary"], (method, path)
            assert operation["description"], (method, path)


async def test_every_error_is_a_problem_or_in_the_shape_of_openai(house: House) -> None:
    for path, operations in (await described(house))["paths"].items():
        for operation in operations.values():
            errors = {
                status: set(reply.get("content", {}))
                for status, reply in operation["responses"].items()
                if int(status) >= 400
            }
            kind = "application/json" if path.startswith("/v1/") else "application/problem+json"
            assert all(kinds == {kind} for kinds in errors.values()), path


async def test_streams_are_described_as_streams(house: House) -> None:
    paths = (await described(house))["paths"]

    assert "text/event-stream" in paths["/solve"]["post"]["responses"]["200"]["content"]
    assert list(paths["/solve/{id}/events"]["get"]["responses"]["200"]["content"]) == [
        "text/event-stream"
    ]


async def test_every_json_body_has_an_example_that_follows_its_schema(house: House) -> None:
    document = await described(house)
    bodies = [
        operation["requestBody"]["content"]["application/json"]["schema"]
        for operations in document["paths"].values()
        for operation in operations.values()
        if "application/json" in operation.get("requestBody", {}).get("content", {})
    ]
    names = {name for body in bodies for name in re.findall(r"schemas/(\w+)", json.dumps(body))}

    assert {"SolveRequest", "EstimateRequest", "ResumeRequest", "FeedbackRequest"} <= names
    for name in names:
        schema = {"$ref": f"#/components/schemas/{name}", "components": document["components"]}
        examples = document["components"]["schemas"][name]["examples"]
        assert examples, name
        for example in examples:
            Draft202012Validator(schema).validate(example)
