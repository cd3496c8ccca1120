"""A stand-in for Chroma Cloud on loopback, for the tests.

It speaks as much of the HTTP interface as the real client asks for, keeps everything in memory,
and refuses what the documentation says that Chroma Cloud refuses (quotas of November 2026), or
what its Search does not understand. Of every request it keeps the path and the body.
"""

from __future__ import annotations

import base64
import contextlib
import json
import socket
import threading
import time
import uuid
from collections.abc import Callable, Iterator
from typing import Any

import numpy as np
import uvicorn
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse
from starlette.routing import Route

TENANT, DATABASE, TOKEN = "lab", "papers", "ck-secret"
QUOTAS = {
    "rows": 300,
    "results": 300,
    "document": 16_384,
    "value": 4096,
    "key": 36,
    "keys": 32,
    "id": 128,
    "dimensions": 4096,
    "predicates": 8,
    "name": 128,
    "described": 256,
}
_BASE = f"/api/v2/tenants/{TENANT}/databases/{DATABASE}"


class Refused(Exception):
    def __init__(self, kind: str, message: str, status: int = 400) -> None:
        super().__init__(message)
        self.kind, self.status = kind, status


class Collection:
    def __init__(self, name: str, metadata: dict[str, Any], schema: dict[str, Any]) -> None:
        self.id, self.name, self.metadata, self.schema = str(uuid.uuid4()), name, metadata, schema
        self.rows: dict[str, tuple[np.ndarray, str, dict[str, Any]]] = {}

    def described(self) -> dict[str, Any]:
        return {
            "id": self.id,
            "name": self.name,
            "metadata": self.metadata,
            "configuration_json": {"spann": {"space": "cosine"}},
            "schema": self.schema,
            "tenant": TENANT,
            "database": DATABASE,
            "dimension": None,
            "log_position": 0,
            "version": 0,
        }

    def sparse_key(self) -> str | None:
        for key, kinds in self.schema.get("keys", {}).items():
            index = kinds.get("sparse_vector", {}).get("sparse_vector_index", {})
            if index.get("enabled"):
                return str(key)
        return None


class ChromaCloud:
    """The stand-in; ``store`` is what ASSISTANT_STORE takes."""

    def __init__(self) -> None:
        self.collections: dict[str, Collection] = {}
        self.asked: list[tuple[str, Any]] = []
        self.busy = 0
        """So many of the next requests are refused with 429."""
        self._listener = socket.create_server(("127.0.0.1", 0))
        self.port = self._listener.getsockname()[1]
        self.store = f"chroma-cloud:{TENANT}/{DATABASE}@http://127.0.0.1:{self.port}"
        one = f"{_BASE}/collections/{{which}}"
        routes = [
            ("GET", "/api/v2/heartbeat", lambda _: {"nanosecond heartbeat": 1}),
            ("GET", "/api/v2/version", lambda _: "1.5.9"),
            ("GET", "/api/v2/pre-flight-checks", self._checks),
            ("GET", "/api/v2/auth/identity", self._identity),
            ("GET", f"/api/v2/tenants/{TENANT}", lambda _: {"name": TENANT}),
            ("GET", _BASE, self._database),
            ("GET", f"{_BASE}/collections", self._list),
            ("POST", f"{_BASE}/collections", self._create),
            ("GET", one, self._named),
            ("DELETE", one, self._drop),
            ("GET", f"{one}/count", self._count),
            ("POST", f"{one}/upsert", self._upsert),
            ("POST", f"{one}/get", self._get),
            ("POST", f"{one}/delete", self._delete),
            ("POST", f"{one}/query", self._query),
            ("POST", f"{one}/search", self._search),
        ]
        app = Starlette(
            routes=[Route(path, self._answers(do), methods=[verb]) for verb, path, do in routes]
        )
        self._server = uvicorn.Server(uvicorn.Config(app, log_level="error"))
        self._thread = threading.Thread(
            target=self._server.run, kwargs={"sockets": [self._listener]}, daemon=True
        )

    # ------------------------------------------------------------------ the server

    def start(self) -> None:
        self._thread.start()
        while not self._server.started:
            time.sleep(0.01)

    def stop(self) -> None:
        self._server.should_exit = True
        self._thread.join(10)
        self._listener.close()

    def _answers(self, do: Callable[[dict[str, Any]], Any]) -> Callable[..., Any]:
        async def answer(request: Request) -> JSONResponse:
            body = await request.body()
            asked = json.loads(body) if body else {}
            self.asked.append((request.url.path.removeprefix(_BASE), asked))
            try:
                if request.headers.get("x-chroma-token") != TOKEN:
                    raise Refused("AuthError", "not authenticated", 401)
                if self.busy:
                    self.busy -= 1
                    raise Refused("RateLimitError", "too many requests", 429)
                which = request.path_params.get("which")
                return JSONResponse(do(asked | ({"which": which} if which else {})))
            except Refused as refused:
                told = {"error": refused.kind, "message": str(refused)}
                return JSONResponse(told, refused.status)

        return answer

    @staticmethod
    def _checks(_: object) -> Any:
        return {"max_batch_size": QUOTAS["rows"], "supports_base64_encoding": True}

    @staticmethod
    def _identity(_: object) -> Any:
        return {"user_id": "me", "tenant": TENANT, "databases": [DATABASE]}

    @staticmethod
    def _database(_: object) -> Any:
        return {"id": str(uuid.uuid4()), "name": DATABASE, "tenant": TENANT}

    # ------------------------------------------------------------------ collections

    def _one(self, asked: dict[str, Any]) -> Collection:
        for collection in self.collections.values():
            if asked["which"] in (collection.id, collection.name):
                return collection
        raise Refused("NotFoundError", f"no collection {asked['which']}", 404)

    def _list(self, _: object) -> Any:
        return [collection.described() for collection in self.collections.values()]

    def _named(self, asked: dict[str, Any]) -> Any:
        return self._one(asked).described()

    def _drop(self, asked: dict[str, Any]) -> Any:
        del self.collections[self._one(asked).name]
        return {}

    def _create(self, asked: dict[str, Any]) -> Any:
        name, metadata = asked["name"], asked.get("metadata") or {}
        _quota("name", len(name.encode()))
        _quota("keys", len(metadata))
        for value in metadata.values():
            _quota("described", len(str(value).encode()))
        if asked.get("configuration") or not asked.get("schema"):
            raise Refused("InvalidArgumentError", "a schema is wanted, and nothing beside it")
        if name not in self.collections:
            self.collections[name] = Collection(name, metadata, asked["schema"])
        elif not asked.get("get_or_create"):
            raise Refused("UniqueConstraintError", f"{name} exists", 409)
        return self.collections[name].described()

    # ------------------------------------------------------------------ rows

    def _count(self, asked: dict[str, Any]) -> Any:
        return len(self._one(asked).rows)

    def _upsert(self, asked: dict[str, Any]) -> Any:
        collection = self._one(asked)
        _quota("rows", len(asked["ids"]))
        fields = (asked["ids"], asked["embeddings"], asked["documents"], asked["metadatas"])
        for row_id, vector, document, metadata in zip(*fields, strict=True):
            dense = _vector(vector)
            _quota("id", len(row_id.encode()))
            _quota("dimensions", len(dense))
            _quota("document", len(document.encode()))
            _quota("keys", len(metadata))
            for key, value in metadata.items():
                _quota("key", len(key.encode()))
                self._value(collection, key, value)
            collection.rows[row_id] = (dense, document, metadata)
        return {}

    @staticmethod
    def _value(collection: Collection, key: str, value: Any) -> None:
        if isinstance(value, dict):
            if value.get("#type") != "sparse_vector" or key != collection.sparse_key():
                raise Refused("InvalidArgumentError", f"{key} has no index of its kind")
            places = value["indices"]
            if places != sorted(set(places)) or not 0 <= places[0] <= places[-1] < 2**32:
                raise Refused("InvalidArgumentError", f"{key}: places must ascend, in 32 bits")
            _quota("value", 8 * len(places))
        elif isinstance(value, list):
            _quota("value", sum(len(str(one).encode()) for one in value))
        else:
            _quota("value", len(str(value).encode()))

    def _fitting(self, collection: Collection, where: dict[str, Any] | None) -> list[str]:
        _quota("predicates", _predicates(where))
        return [i for i, row in collection.rows.items() if _fits(where, row[2])]

    def _get(self, asked: dict[str, Any]) -> Any:
        collection = self._one(asked)
        _quota("results", asked.get("limit") or len(collection.rows))
        found = self._fitting(collection, asked.get("where"))
        if asked.get("ids"):
            found = [i for i in found if i in set(asked["ids"])]
        start = asked.get("offset") or 0
        rows = found[start : start + (asked.get("limit") or len(found))]
        got: dict[str, Any] = {"ids": rows, "include": asked["include"]}
        for n, name in enumerate(("embeddings", "documents", "metadatas")):
            wanted = name in asked["include"]
            values = [collection.rows[i][n] for i in rows]
            got[name] = [_plain(value) for value in values] if wanted else None
        return got

    def _delete(self, asked: dict[str, Any]) -> Any:
        collection = self._one(asked)
        _quota("rows", len(asked["ids"]))
        gone = [collection.rows.pop(i, None) for i in asked["ids"]]
        return {"deleted": len([row for row in gone if row is not None])}

    # ------------------------------------------------------------------ finding

    def _query(self, asked: dict[str, Any]) -> Any:
        collection = self._one(asked)
        _quota("results", asked["n_results"])
        fitting = self._fitting(collection, asked.get("where"))
        ranks = _dense_ranks(collection, fitting, asked["query_embeddings"][0])
        best = sorted(ranks, key=ranks.__getitem__)[: asked["n_results"]]
        rows = [collection.rows[i] for i in best]
        return {
            "ids": [best],
            "distances": [[float(ranks[i]) for i in best]],
            "documents": [[row[1] for row in rows]],
            "metadatas": [[row[2] for row in rows]],
            "embeddings": [[_plain(row[0]) for row in rows]],
            "include": asked["include"],
        }

    def _search(self, asked: dict[str, Any]) -> Any:
        collection = self._one(asked)
        ids: list[list[str]] = []
        scores: list[list[float]] = []
        for search in asked["searches"]:
            limit = search["limit"]["limit"]
            _quota("results", limit)
            where = search.get("filter", search.get("where")) or None
            fitting = self._fitting(collection, where)
            ranked = _evaluated(collection, fitting, search["rank"])
            listed = _in_any_list(collection, fitting, search["rank"])
            kept = {i: ranked[i] for i in fitting if i in listed and ranked[i] is not None}
            best = sorted(kept, key=kept.__getitem__)[:limit]
            ids.append(best)
            scores.append([kept[i] for i in best])
        nothing = [None] * len(ids)
        return {
            "ids": ids,
            "scores": scores,
            "documents": nothing,
            "metadatas": nothing,
            "embeddings": nothing,
            "select": [["#score"]] * len(ids),
        }


@contextlib.contextmanager
def running() -> Iterator[ChromaCloud]:
    cloud = ChromaCloud()
    cloud.start()
    try:
        yield cloud
    finally:
        cloud.stop()


def _quota(name: str, size: int) -> None:
    if size > QUOTAS[name]:
        raise Refused("QuotaError", f"{name}: {size} exceeds {QUOTAS[name]}")


def _vector(sent: str | list[float]) -> np.ndarray:
    if isinstance(sent, str):
        return np.frombuffer(base64.b64decode(sent), np.float32)
    return np.array(sent, np.float32)


def _plain(value: Any) -> Any:
    return value.tolist() if isinstance(value, np.ndarray) else value


def _predicates(where: dict[str, Any] | None) -> int:
    if not where:
        return 0
    (key, value), *more = where.items()
    assert not more, "one condition an object"
    return sum(map(_predicates, value)) if key in ("$and", "$or") else 1


def _fits(where: dict[str, Any] | None, metadata: dict[str, Any]) -> bool:
    if not where:
        return True
    ((key, value),) = where.items()
    if key in ("$and", "$or"):
        return (all if key == "$and" else any)(_fits(part, metadata) for part in value)
    ((operator, wanted),) = value.items() if isinstance(value, dict) else (("$eq", value),)
    held = metadata.get(key)
    if held is None:
        return False
    return {
        "$eq": lambda: held == wanted,
        "$gte": lambda: held >= wanted,
        "$lte": lambda: held <= wanted,
        "$in": lambda: held in wanted,
        "$contains": lambda: wanted in held,
    }[operator]()


def _dense_ranks(collection: Collection, ids: list[str], query: list[float]) -> dict[str, float]:
    """Cosine distances."""
    wanted = np.array(query, np.float32)
    wanted /= np.linalg.norm(wanted)
    return {
        i: 1 - float(collection.rows[i][0] @ wanted / np.linalg.norm(collection.rows[i][0]))
        for i in ids
    }


def _knn(collection: Collection, ids: list[str], knn: dict[str, Any]) -> dict[str, float | None]:
    query, key, limit = knn["query"], knn["key"], knn["limit"]
    if isinstance(query, dict):
        if key != collection.sparse_key():
            raise Refused("InvalidArgumentError", f"{key} has no sparse index")
        weights = dict(zip(query["indices"], query["values"], strict=True))
        distances = {}
        for i in ids:
            held = collection.rows[i][2].get(key)
            pairs = zip(held["indices"], held["values"], strict=True) if held else ()
            product = sum(weights.get(place, 0.0) * value for place, value in pairs)
            if product > 0:
                distances[i] = -product
    else:
        if key != "#embedding":
            raise Refused("InvalidArgumentError", "a dense query goes to #embedding")
        distances = _dense_ranks(collection, ids, query)
    best = sorted(distances, key=distances.__getitem__)[:limit]
    scores = {i: float(n) if knn.get("return_rank") else distances[i] for n, i in enumerate(best)}
    return {i: scores.get(i, knn.get("default")) for i in ids}


def _evaluated(
    collection: Collection, ids: list[str], rank: dict[str, Any]
) -> dict[str, float | None]:
    """A rank expression; None where a row is in none of its lists and has no default."""
    ((operator, value),) = rank.items()
    if operator == "$val":
        return dict.fromkeys(ids, float(value))
    if operator == "$knn":
        return _knn(collection, ids, value)
    parts = value if isinstance(value, list) else [value["left"], value["right"]]
    evaluated = [_evaluated(collection, ids, part) for part in parts]
    combine: Callable[[list[float]], float] = {
        "$sum": sum,
        "$mul": lambda v: float(np.prod(v)),
        "$div": lambda v: v[0] / v[1],
        "$sub": lambda v: v[0] - v[1],
    }[operator]
    found: dict[str, float | None] = {}
    for i in ids:
        values = [part[i] for part in evaluated]
        known = [v for v in values if v is not None]
        found[i] = combine(known) if len(known) == len(values) else None
    return found


def _in_any_list(collection: Collection, ids: list[str], rank: dict[str, Any]) -> set[str]:
    """Rows that any list of nearest holds: the others are never found."""
    ((operator, value),) = rank.items()
    if operator == "$knn":
        found = _knn(collection, ids, value | {"default": None})
        return {i for i, score in found.items() if score is not None}
    if operator == "$val":
        return set()
    parts = value if isinstance(value, list) else [value["left"], value["right"]]
    return set().union(*(_in_any_list(collection, ids, part) for part in parts))
