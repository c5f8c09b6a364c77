"""Answer text: a solve's answer as the text that OpenAI's clients read, whole or piece by piece."""

from __future__ import annotations

import json

from pydantic import JsonValue

from banyan import notices
from banyan.client.results import SolveResult, StreamEvent
from service.facade.stops import Stops
from service.problems import Refused


class AnswerRewritten(Refused):
    """What was streamed is not what the answer became; it cannot be taken back."""

    def __init__(self) -> None:
        super().__init__(
            "A turn ran again and answered differently from what was streamed.",
            code="answer_rewritten",
            hint="Ask without `stream`, or read the finished answer with GET /solve/{id}.",
            status=500,
        )


def text_of(answer: JsonValue) -> str:
    """Text as it is, structured answers as JSON, no answer as nothing."""
    if answer is None:
        return ""
    return answer if isinstance(answer, str) else json.dumps(answer, ensure_ascii=False)


def is_cut(result: SolveResult) -> bool:
    """Whether the answer ends before all is said: by a limit, or because parts are missing.

    `answer_cut` may be that of a part; of a single node it is the answer's.
    """
    cut_itself = notices.ANSWER_CUT in result.notices and result.usage.nodes == 1
    return result.status == "partial" or cut_itself


class Growing:
    """The pieces of an answer that can be sent while it grows, and the rest when it is there."""

    def __init__(self, stops: Stops | None = None) -> None:
        self._stops = stops or Stops()
        self._answer = ""
        self.sent = ""

    def feed(self, event: StreamEvent) -> str:
        """What is new and certain, '' where nothing is.

        Where a turn runs again and begins its answer anew, nothing is sent until it has caught up.
        """
        self._answer = event.extend(self._answer)
        return self._send(self._stops.certain(self._answer))

    def close(self, answer: str) -> str:
        """What is still to be sent of the finished `answer`. Raises AnswerRewritten."""
        answer = self._stops.cut(answer)
        if not answer.startswith(self.sent) and self.sent.rstrip() != answer.rstrip():
            raise AnswerRewritten
        return self._send(answer)

    def _send(self, text: str) -> str:
        if not text.startswith(self.sent):
            return ""
        piece = text[len(self.sent) :]
        self.sent = text
        return piece
