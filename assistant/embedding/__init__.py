"""Text into vectors: the embedded all-MiniLM-L6-v2, or an OpenAI-compatible endpoint.

Importing this package is cheap: ONNX Runtime is imported by the first `open_embedder`, onnx only
when the model is prepared (once a machine), LlamaIndex only for an endpoint or by
`as_llama_embedding`. Nothing here needs torch.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING

from assistant.embedding.base import Embedder, TextStates, Vectors, WordEmbedder

if TYPE_CHECKING:
    from llama_index.core.base.embeddings.base import BaseEmbedding

    from assistant.settings import Settings

__all__ = [
    "Embedder", "TextStates", "Vectors", "WordEmbedder", "as_llama_embedding", "open_embedder",
]  # fmt: skip


def open_embedder(settings: Settings, *, notify: Callable[[str], None] | None = None) -> Embedder:
    """The embedding model that the settings name.

    The embedded model's weights are fetched at the first use on a machine; an endpoint is not
    called yet.

    Args:
        settings: ``settings.embedding`` chooses the model, ``settings.cache`` keeps its files.
        notify: called with a short note before something that takes long (fetching, preparing).

    Raises:
        ConfigurationError: the provider is "openai" and no model or no key is set.
        WeightsError: the embedded model's weights are missing, damaged or not to be had.
    """
    if settings.embedding.provider == "openai":
        from assistant.embedding.llama import EndpointEmbedder  # noqa: PLC0415

        return EndpointEmbedder.from_settings(settings)
    from assistant.embedding.minilm import MiniLM  # noqa: PLC0415

    return MiniLM.open(settings, notify=notify)


def as_llama_embedding(embedder: Embedder) -> BaseEmbedding:
    """``embedder`` as a LlamaIndex embedding model, for indexes and retrievers that want one."""
    from assistant.embedding.llama import LlamaEmbedding  # noqa: PLC0415

    return LlamaEmbedding(embedder)
