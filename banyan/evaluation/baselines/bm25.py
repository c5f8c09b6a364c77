"""BM25: retrieval by the goal's words, then one call over the chunks that rank best.

Okapi BM25 (Robertson and Zaragoza, 2009) in Lucene's form, by the package `bm25s`, with English
stop words left out and words stemmed. Needs the extra `eval`.
"""

from __future__ import annotations

from collections.abc import Sequence

from banyan.errors import PromptTooLong
from banyan.evaluation.baselines.chunks import pieces
from banyan.evaluation.baselines.fitting import largest
from banyan.evaluation.baselines.job import Job, Reply
from banyan.evaluation.baselines.prompts import GAP
from banyan.evaluation.baselines.source import Range
from banyan.evaluation.baselines.whole import whole

CHUNK_TOKENS = 160
"""The most that a chunk has; cut on boundaries they are 100 to 160 tokens."""
_SAMPLE_CHARS = 8_000


async def bm25(job: Job) -> Reply:
    """As many of the best chunks as fit, in the text's order. A text that fits is read whole."""
    reply = await whole(job)
    if reply is not None:
        return reply
    text = job.text
    sample = text[:_SAMPLE_CHARS]
    chars_per_token = len(sample) / max(1, await job.calls.count(sample))
    ranges = pieces(text, int(CHUNK_TOKENS * chars_per_token))
    order = ranked([text[start:end] for start, end in ranges], job.goal)

    def best(num_chunks: int) -> list[Range]:
        return [ranges[index] for index in sorted(order[:num_chunks])]

    async def left(num_chunks: int) -> int:
        return await job.left(job.single(_shown(text, best(num_chunks))))

    num_chunks = await largest(len(ranges), job.calls.window // CHUNK_TOKENS, left)
    if not num_chunks:
        raise PromptTooLong("the window has no room for one chunk beside the task")
    chosen = best(num_chunks)
    return Reply(await job.answer(job.single(_shown(text, chosen))), tuple(chosen))


def ranked(texts: Sequence[str], query: str) -> list[int]:
    """Indices of `texts`, best first; those that score the same stay in order."""
    import bm25s  # noqa: PLC0415  # of the extra `eval`
    import Stemmer  # noqa: PLC0415

    stemmer = Stemmer.Stemmer("english")

    def words(of: Sequence[str]) -> list[list[str]]:
        found: list[list[str]] = bm25s.tokenize(
            list(of), stopwords="en", stemmer=stemmer, return_ids=False, show_progress=False
        )
        return found

    corpus, (asked,) = words(texts), words([query])
    if not any(corpus) or not asked:
        return list(range(len(texts)))
    index = bm25s.BM25()
    index.index(corpus, show_progress=False)
    scores = [float(score) for score in index.get_scores(asked)]
    return sorted(range(len(texts)), key=lambda number: -scores[number])


def _shown(text: str, chosen: Sequence[Range]) -> str:
    """The chunks in order; where text between two was left out, a line says so."""
    shown = ""
    previous: int | None = None
    for start, end in chosen:
        if previous is not None and start != previous:
            shown += GAP
        shown += text[start:end]
        previous = end
    return shown
