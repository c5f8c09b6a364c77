"""LangChain's ChatOpenAI: asked, streamed, under a schema, and over the responses interface."""

from __future__ import annotations

import json
import sys

from langchain_openai import ChatOpenAI
from pydantic import BaseModel


class Tree(BaseModel):
    """A tree."""

    name: str
    num_roots: int


def main(url: str) -> None:
    """Print what came of each as one JSON object."""
    model = ChatOpenAI(model="banyan", base_url=url, api_key="none", stream_usage=True)
    asked = model.invoke([("system", "Be brief."), ("human", "How does a banyan grow?")])
    chunks = list(model.stream("How?"))
    tree = model.with_structured_output(Tree, method="json_schema").invoke("Which tree?")
    over_responses = ChatOpenAI(
        model="banyan", base_url=url, api_key="none", use_responses_api=True
    ).invoke("How?")
    said = {
        "answer": asked.content,
        "usage": asked.usage_metadata,
        "streamed": "".join(str(chunk.content) for chunk in chunks),
        "num_chunks": len(chunks),
        "stream_usage": next(chunk.usage_metadata for chunk in chunks if chunk.usage_metadata),
        "tree": sorted(tree.model_dump()),
        "responses": over_responses.text,
    }
    sys.stdout.write(json.dumps(said) + "\n")


if __name__ == "__main__":
    main(sys.argv[1])
