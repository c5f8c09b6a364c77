"""The routes of the facade, each of OpenAI's calls in a file of its own."""

from __future__ import annotations

from fastapi import APIRouter

from service.routes import openai_chat, openai_models, openai_responses

router = APIRouter(prefix="/v1", tags=["openai"])
for _feature in (openai_chat, openai_responses, openai_models):
    router.include_router(_feature.router)
