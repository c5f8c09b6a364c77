"""Packs token ids into a few vectors: a small HTTP server beside the engine's weights.

    python packer_server.py --model FOLDER --port 8001

Run by the engine environment's Python as a plain script, since torch lives there. It loads nothing
of the model but the matrix of its input embeddings; the whole model with `--scores`, which
evaluations need. This packer is not trained: each vector is the mean of a segment of the
embeddings, at the mean length that these have.

    POST /pack    {"token_ids": [...], "num_vectors": 32}   {"vectors": base64 of safetensors}
    POST /encode  {"vectors": base64 of safetensors}   {"embeds": base64 of torch.save, "num": 32}
    POST /score   {"before": [...], "vectors": base64 of safetensors, "behind": [...],
                   "num_scored": 512}   {"logprobs": [...]}, of the last tokens of `behind`

It trusts whoever reaches it, as the engine does; tenants' requests never do.
"""

from __future__ import annotations

import argparse
import base64
import binascii
import io
import json
import sys
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import safetensors.torch as st  # type: ignore[import-not-found, unused-ignore]
import torch  # type: ignore[import-not-found, unused-ignore]
from safetensors import safe_open  # type: ignore[import-not-found, unused-ignore]

MAX_BODY_BYTES = 64 * 1024 * 1024
_EMBEDDINGS = (
    "embed_tokens.weight",
    "wte.weight",
    "word_embeddings.weight",
    "tok_embeddings.weight",
)
_VECTORS = "vectors"


class Refused(ValueError):
    """What a caller sent cannot be packed."""


def load_embeddings(folder: Path) -> Any:
    """The input embeddings `[V, D]` of the model in `folder`, in its own type."""
    for file in sorted(folder.glob("*.safetensors")):
        with safe_open(file, framework="pt") as tensors:
            for name in tensors.keys():  # noqa: SIM118  # no mapping
                if name.endswith(_EMBEDDINGS):
                    return tensors.get_tensor(name)
    raise SystemExit(f"{folder} holds no safetensors with input embeddings")


def pack(embeddings: Any, token_ids: list[int], num_vectors: int) -> Any:
    """`vectors[K, D]` of `token_ids[T]`, K = min(num_vectors, T): means of equal segments."""
    num = min(num_vectors, len(token_ids))
    if num < 1 or not all(0 <= token < len(embeddings) for token in token_ids):
        raise Refused("token_ids: at least one, each below the size of the vocabulary")
    rows = embeddings[torch.tensor(token_ids)].float()
    means = [_mean(segment) for segment in torch.tensor_split(rows, num)]
    return torch.stack(means).to(embeddings.dtype)


def _mean(rows: Any) -> Any:
    """The mean direction, at the mean length: averages of many vectors are short."""
    mean = rows.mean(dim=0)
    return mean * (rows.norm(dim=1).mean() / mean.norm().clamp_min(1e-6))


def load(packed: bytes) -> Any:
    """The vectors `[K, D]` in safetensors of a packer."""
    try:
        return st.load(packed)[_VECTORS]
    except Exception as error:
        raise Refused("vectors: no safetensors of a packer") from error


def encode(packed: bytes) -> tuple[bytes, int]:
    """Safetensors as the engine takes them, `torch.save`, and the number of vectors."""
    vectors = load(packed)
    buffer = io.BytesIO()
    torch.save(vectors.contiguous(), buffer)
    return buffer.getvalue(), len(vectors)


def load_model(folder: Path) -> Any:
    """The whole model, in float32."""
    from transformers import AutoModelForCausalLM  # noqa: PLC0415  # most packers do without

    return AutoModelForCausalLM.from_pretrained(folder, dtype=torch.float32).eval()


def score(model: Any, body: dict[str, Any]) -> list[float]:
    """Log-probabilities (nats) of the last tokens of `behind`, behind all else."""
    if model is None:
        raise Refused("this packer was not started with --scores")
    table = model.get_input_embeddings().weight
    before, behind, num = body["before"], body["behind"], int(body["num_scored"])
    vectors = load(base64.b64decode(body["vectors"], validate=True))
    if not before or not 0 < num <= len(behind) or vectors.shape[1] != table.shape[1]:
        raise Refused("a token before, `num_scored` of those behind, vectors of the model's size")
    if not all(0 <= token < len(table) for token in (*before, *behind)):
        raise Refused("token ids below the size of the vocabulary")
    with torch.inference_mode():
        parts = (table[torch.tensor(before)], vectors.to(table.dtype), table[torch.tensor(behind)])
        # The last `num` places, each of which tells of the token that follows it.
        output = model(inputs_embeds=torch.cat(parts)[None], logits_to_keep=num + 1)
        logprobs = torch.log_softmax(output.logits[0, :-1].float(), dim=-1)
        scored = logprobs.gather(1, torch.tensor(behind[-num:])[:, None])[:, 0]
    return [float(value) for value in scored]


class Handler(BaseHTTPRequestHandler):
    """One request; `embeddings` and `model` are set once at start."""

    embeddings: Any = None
    model: Any = None
    protocol_version = "HTTP/1.1"

    def do_GET(self) -> None:
        self._reply(200, {"status": "ok"}) if self.path == "/health" else self._refuse(404, "path")

    def do_POST(self) -> None:
        length = int(self.headers.get("content-length") or 0)
        if length > MAX_BODY_BYTES:
            self.close_connection = True
            return self._refuse(413, "the body is too large")
        try:
            body = json.loads(self.rfile.read(length))
            match self.path:
                case "/pack":
                    vectors = pack(self.embeddings, body["token_ids"], int(body["num_vectors"]))
                    self._reply(200, {"vectors": _text(st.save({_VECTORS: vectors}))})
                case "/encode":
                    embeds, num = encode(base64.b64decode(body["vectors"], validate=True))
                    self._reply(200, {"embeds": _text(embeds), "num": num})
                case "/score":
                    self._reply(200, {"logprobs": score(self.model, body)})
                case _:
                    self._refuse(404, "there is no such path")
        except (Refused, ValueError, KeyError, TypeError, binascii.Error) as error:
            self._refuse(400, f"{type(error).__name__}: {error}")

    def log_message(self, format: str, *args: object) -> None:  # noqa: A002
        """Requests are not logged: they are contexts."""

    def _refuse(self, status: int, message: str) -> None:
        self._reply(status, {"error": {"message": message, "type": "packer"}})

    def _reply(self, status: int, value: dict[str, Any]) -> None:
        data = json.dumps(value).encode()
        self.send_response(status)
        self.send_header("content-type", "application/json")
        self.send_header("content-length", str(len(data)))
        self.end_headers()
        self.wfile.write(data)


def _text(data: bytes) -> str:
    return base64.b64encode(data).decode()


def main() -> None:
    """Serve until the process is stopped."""
    parser = argparse.ArgumentParser(description="Packs token ids into vectors.")
    parser.add_argument("--model", type=Path, required=True, help="folder with safetensors")
    parser.add_argument("--host", default="127.0.0.1")
    parser.add_argument("--port", type=int, default=8001)
    parser.add_argument("--scores", action="store_true", help="load the whole model, for /score")
    options = parser.parse_args()
    if options.scores:
        Handler.model = load_model(options.model)
    Handler.embeddings = load_embeddings(options.model)
    server = ThreadingHTTPServer((options.host, options.port), Handler)
    sys.stderr.write(f"packer: {tuple(Handler.embeddings.shape)} on port {options.port}\n")
    server.serve_forever()


if __name__ == "__main__":
    main()
