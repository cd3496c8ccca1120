"""Language models behind an OpenAI-compatible endpoint: calls, failures, tokens, prices, replies.

Importing this package is cheap; openai and LlamaIndex are imported by the first call.
"""

from assistant.endpoint.cache import KeptReplies, ReplyCache, clear_replies, kept_replies
from assistant.endpoint.chat import Cancellation, Delta, Endpoint, Finished, Piece, Waiting
from assistant.endpoint.ledger import Ledger, count_tokens
from assistant.endpoint.probe import Probe, examine, probe

__all__ = [
    "Cancellation",
    "Delta",
    "Endpoint",
    "Finished",
    "KeptReplies",
    "Ledger",
    "Piece",
    "Probe",
    "ReplyCache",
    "Waiting",
    "clear_replies",
    "count_tokens",
    "examine",
    "kept_replies",
    "probe",
]
