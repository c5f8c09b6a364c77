"""Every error Banyan raises, one type per boundary crossed.

    BanyanError
    ├── InvalidInput            what a caller sent; nothing was stored
    │   ├── InvalidDocument     not text, or too large
    │   │   ├── UnsupportedMediaType  a format that is not read here
    │   │   ├── UnknownEncoding     text whose encoding nobody names, and nothing tells
    │   │   ├── BrokenDocument      a PDF that cannot be read
    │   │   ├── EncryptedDocument   a PDF that needs a password
    │   │   ├── NoText              pages, but no text on them
    │   │   └── TooComplex          reading it takes too long, too much memory or too many pages
    │   ├── InvalidSchema       an answer or expects schema that is no JSON Schema
    │   ├── RefusedAddress      a webhook's address that is not public, or no address at all
    │   ├── UnknownPolicy       a policy that is not served here
    │   ├── InvalidManifest     published weights whose manifest is not complete
    │   ├── BrokenWeights       weights that are not what their manifest says, or no numbers
    │   └── WrongBaseModel      weights that were trained from another model than the served one
    ├── NotFound                an id that this tenant does not have
    ├── EventsTrimmed           events that were asked for are not kept any more
    ├── Conflict                the object is not in a state that allows this
    ├── StoreError              the durable store did not do what was asked
    │   ├── StaleLease          another worker owns the node, or the tree was cancelled
    │   └── StoreUnavailable    no answer; the caller may retry
    │       └── StoreFull       no memory or no disk is left for what is new
    ├── EngineError             the model server did not complete a call
    │   ├── EngineUnavailable   no answer, overload, or a 5xx; the call may be retried
    │   │   ├── EngineOverloaded  it has too many calls: a 429, or a 503
    │   │   └── NotLoaded       it has not loaded this version (yet); others may have
    │   ├── EngineRefused       the server will never accept this request (4xx)
    │   ├── NotProved           weights that do not compute what their trainer says
    │   ├── PromptTooLong       the prompt does not fit the window
    │   └── AbilityMissing      the engine cannot do what the request needs
    ├── InvalidAction           the model's output is no valid action
    │   └── SchemaMismatch      its answer breaks the schema that was asked for
    └── PackError               packed state that cannot be read
        └── ForeignVersion      packed by another or a newer version

A failed child is not an exception: its parent receives a typed outcome.
"""

from __future__ import annotations


class BanyanError(Exception):
    """Root of all errors. `code` is stable and machine-readable; `hint` says what to do."""

    code = "internal_error"
    hint = ""

    def __init__(self, message: str, *, hint: str | None = None) -> None:
        super().__init__(message)
        if hint is not None:
            self.hint = hint


class InvalidInput(BanyanError):
    code = "invalid_input"
    hint = "Correct the request and send it again; nothing was stored."


class InvalidDocument(InvalidInput):
    code = "invalid_document"
    hint = "Send text without NUL characters, within the size limit."


class UnsupportedMediaType(InvalidDocument):
    code = "unsupported_media_type"
    hint = "Send text, Markdown, HTML or PDF under its Content-Type; convert other formats first."


class UnknownEncoding(InvalidDocument):
    code = "unknown_encoding"
    hint = (
        "Name the encoding, as in `Content-Type: text/plain; charset=windows-1252`, or send UTF-8."
    )


class BrokenDocument(InvalidDocument):
    code = "broken_document"
    hint = "Open it in a viewer, save it anew, and send that."


class EncryptedDocument(InvalidDocument):
    code = "encrypted_document"
    hint = "Remove the password, and send it again."


class NoText(InvalidDocument):
    code = "no_text"
    hint = "Scanned pages are pictures: recognise their text first (OCR), and send that."


class TooComplex(InvalidDocument):
    code = "too_complex"
    hint = "Send it in parts, or have the service's limits raised; see docs/running.md."


class InvalidSchema(InvalidInput):
    code = "invalid_schema"
    hint = "Send a JSON Schema (draft 2020-12) whose root is an object."


class RefusedAddress(InvalidInput):
    code = "refused_address"
    hint = "Give an https address that resolves to public addresses alone; see docs/security.md."


class UnknownPolicy(InvalidInput):
    code = "unknown_policy"


class InvalidManifest(InvalidInput):
    code = "invalid_manifest"
    hint = "Write the manifest anew with the trainer of this version; see docs/policies.md."


class BrokenWeights(InvalidInput):
    code = "broken_weights"
    hint = "Copy the directory anew, or train again; nothing was stored."


class WrongBaseModel(InvalidInput):
    code = "wrong_base_model"
    hint = "Publish weights that were trained from the model that is served."


class NotFound(BanyanError):
    code = "not_found"
    hint = "Check the id; finished solves and documents are kept for a limited time."


class EventsTrimmed(BanyanError):
    code = "events_trimmed"
    hint = "Read the solve itself, and its tree; go on from the first event that is kept."


class Conflict(BanyanError):
    code = "conflict"
    hint = "Read the object's current state first."


class StoreError(BanyanError):
    code = "store_error"


class StaleLease(StoreError):
    code = "stale_lease"
    hint = "Drop the work: the node belongs to another worker now, or was cancelled."


class StoreUnavailable(StoreError):
    code = "store_unavailable"
    hint = "Start Redis or Valkey, or set BANYAN_REDIS_URL to one that answers."


class StoreFull(StoreUnavailable):
    code = "store_full"
    hint = "Make room where the store or the documents lie, then send it again."


class EngineError(BanyanError):
    code = "engine_error"


class EngineUnavailable(EngineError):
    code = "engine_unavailable"
    hint = "Check that the model server is up and that BANYAN_ENGINE_URLS points to it."


class EngineOverloaded(EngineUnavailable):
    code = "engine_overloaded"
    hint = "Add model servers, or raise how many calls they take; see docs/operating.md."


class NotLoaded(EngineUnavailable):
    code = "weights_not_loaded"
    hint = "See `banyan policies list`: the version is loaded by itself where it is still needed."


class EngineRefused(EngineError):
    code = "engine_refused"


class NotProved(EngineError):
    code = "not_proved"
    hint = "The engine computes something else than the trainer: compare their versions and types."


class PromptTooLong(EngineError):
    code = "prompt_too_long"


class AbilityMissing(EngineError):
    code = "engine_ability_missing"
    hint = "Choose another mode, or an engine that has this ability (see `banyan doctor`)."


class InvalidAction(BanyanError):
    code = "invalid_action"


class SchemaMismatch(InvalidAction):
    code = "schema_mismatch"


class PackError(BanyanError):
    code = "unreadable_pack"


class ForeignVersion(PackError):
    code = "foreign_pack_version"
    hint = "Upgrade every worker to the version that wrote this state."
