"""The plain LlamaIndex pipeline that the benchmark compares with."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import islice
from typing import Any

from assistant.embedding import Embedder, as_llama_embedding
from assistant.paper import Paper

_BATCH = 5000
"""Chroma's limit of one call is near."""


class Starter:
    """What LlamaIndex's documentation begins with: Chroma, and otherwise its defaults."""

    def __init__(self, folder: str, embedder: Embedder) -> None:
        import chromadb  # noqa: PLC0415
        from chromadb.config import Settings as ChromaSettings  # noqa: PLC0415
        from llama_index.core import StorageContext, VectorStoreIndex  # noqa: PLC0415
        from llama_index.vector_stores.chroma import ChromaVectorStore  # noqa: PLC0415

        settings = ChromaSettings(anonymized_telemetry=False)
        client = chromadb.PersistentClient(folder, settings=settings)
        collection = client.get_or_create_collection("starter", embedding_function=None)
        store = ChromaVectorStore(chroma_collection=collection)
        self._context = StorageContext.from_defaults(vector_store=store)
        self._model = as_llama_embedding(embedder)
        index = VectorStoreIndex.from_vector_store(store, embed_model=self._model)
        self._retriever = index.as_retriever(similarity_top_k=8)

    def ingest(self, papers: Iterator[Paper]) -> None:
        """Adds ``papers``; what is there already, once more."""
        from llama_index.core import Document, VectorStoreIndex  # noqa: PLC0415

        while batch := list(islice(papers, _BATCH)):
            documents = [
                Document(text=f"{p.title}\n\n{p.abstract}", metadata={"title": p.title})
                for p in batch
            ]
            VectorStoreIndex.from_documents(
                documents, storage_context=self._context, embed_model=self._model
            )

    def find(self, question: str) -> list[Any]:
        """The eight best nodes; there is no answer without a language model."""
        found: list[Any] = self._retriever.retrieve(question)
        return found
