"""The plain LlamaIndex pipeline that the benchmark compares with."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from assistant.embedding import Embedder, as_llama_embedding


def open_starter(path: str, embedder: Embedder) -> Any:
    """What LlamaIndex's documentation begins with: Chroma, and otherwise its defaults."""
    import chromadb  # noqa: PLC0415
    from chromadb.config import Settings as ChromaSettings  # noqa: PLC0415
    from llama_index.core import StorageContext, VectorStoreIndex  # noqa: PLC0415
    from llama_index.vector_stores.chroma import ChromaVectorStore  # noqa: PLC0415

    client = chromadb.PersistentClient(path, settings=ChromaSettings(anonymized_telemetry=False))
    collection = client.get_or_create_collection("starter", embedding_function=None)
    store = ChromaVectorStore(chroma_collection=collection)
    context = StorageContext.from_defaults(vector_store=store)
    model = as_llama_embedding(embedder)

    def build(documents: Sequence[Any]) -> None:
        VectorStoreIndex.from_documents(documents, storage_context=context, embed_model=model)

    return collection, build, VectorStoreIndex.from_vector_store(store, embed_model=model)
