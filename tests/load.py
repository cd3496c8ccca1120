"""Many visitors at once, for a while: ``python tests/load.py [--seconds 60] [--visitors 20]``.

Starts ``assistant ui`` over the sample library and lets visitors ask, over the page's own
routes, as a browser does, or over ``/api`` (``--door api``); then again while 500 papers are
taken in. Prints what a visitor waits for an answer, for the page and for ``/health``, how often
one was told to come back, what failed, and the memory of the server, as JSON; on the way, every
ten seconds, how many answers there are and the megabytes that the server holds. Most questions
are made of the papers' titles, so that they differ.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import os
import random
import socket
import statistics
import subprocess
import sys
import tempfile
import time
import urllib.request
import uuid
from pathlib import Path
from typing import Any

import httpx

QUESTIONS = [
    "Which papers make training data smaller, and what does it save?",
    "When should pruning start and stop during pre-training?",
    "What does quantising a 70B model to two bits cost?",
    "How accurate is gaze estimation from a single eye?",
    "How are code models attacked to leak training data?",
    "Which generator writes the best songs with vocals?",
]
FORMS = ["What is said of {}?", "How does {} work?", "papers on {}", "Why {}?", "{}", "Does {}?"]


class Tally:
    """What was measured. ``pid``: the server's."""

    def __init__(self, pid: int) -> None:
        from assistant.sample import SAMPLE_PAPERS  # noqa: PLC0415

        lines = SAMPLE_PAPERS.read_text("utf-8").splitlines()
        self.titles = [json.loads(line)["title"].split() for line in lines if line]
        self.pid = pid
        self.answers: list[float] = []
        self.pages: list[float] = []
        self.health: list[float] = []
        self.told_to_come_back = 0
        self.failures: list[str] = []

    def question(self, chance: random.Random) -> str:
        if chance.random() < 0.2:
            return chance.choice(QUESTIONS)
        said = chance.choice(self.titles)
        at = chance.randrange(max(1, len(said) - 3))
        return chance.choice(FORMS).format(" ".join(said[at : at + chance.randint(2, 5)]))

    def summary(self) -> dict[str, Any]:
        return {
            "answers": len(self.answers),
            "answer_s": spread(self.answers),
            "page_s": spread(self.pages),
            "health_s": spread(self.health),
            "told_to_come_back": self.told_to_come_back,
            "failures": len(self.failures),
            "first_failures": self.failures[:3],
        }


def spread(values: list[float]) -> dict[str, float]:
    if len(values) < 2:
        return {}
    cuts = statistics.quantiles(values, n=20)
    found = {"p50": statistics.median(values), "p95": cuts[18], "max": max(values)}
    return {name: round(value, 3) for name, value in found.items()}


async def visitor(client: httpx.AsyncClient, end: float, tally: Tally) -> None:
    conversation, chance = uuid.uuid4().hex, random.Random(uuid.uuid4().hex)
    while time.monotonic() < end:
        question = tally.question(chance)
        started = time.monotonic()
        try:
            shown = await one_answer(client, conversation, question, tally)
            if 'class=\\"answer' not in shown:
                tally.failures.append(shown[:200])
        except (httpx.HTTPError, KeyError, ValueError) as error:
            tally.failures.append(repr(error)[:200])
        tally.answers.append(time.monotonic() - started)
        await asyncio.sleep(chance.uniform(0.5, 1.5))  # people read
        if chance.random() < 0.3:
            conversation = uuid.uuid4().hex


async def caller(client: httpx.AsyncClient, end: float, tally: Tally) -> None:
    """A program that asks over the API, and comes back when it is told to."""
    chance = random.Random(id(client) + len(tally.answers))
    while time.monotonic() < end:
        started = time.monotonic()
        try:
            reply = await client.post("/api/ask", json={"question": tally.question(chance)})
            if reply.status_code == 503:
                tally.told_to_come_back += 1
                await asyncio.sleep(float(reply.headers["Retry-After"]))
                continue
            if not reply.raise_for_status().json()["answer"]:
                tally.failures.append("an empty answer")
        except (httpx.HTTPError, KeyError, ValueError) as error:
            tally.failures.append(repr(error)[:200])
        tally.answers.append(time.monotonic() - started)
        await asyncio.sleep(chance.uniform(0.5, 1.5))


async def doctor(url: str, seconds: float, tally: Tally) -> None:
    """What watches the server, four times a second: a process of its own, which nobody delays."""
    command = [sys.executable, __file__, "--watch", url, "--seconds", str(seconds)]
    watching = await asyncio.create_subprocess_exec(*command, stdout=asyncio.subprocess.PIPE)
    told, _ = await watching.communicate()
    for waited in json.loads(told):
        if waited is None:
            tally.failures.append("/health did not answer")
        else:
            tally.health.append(waited)


def watch(url: str, seconds: float) -> list[float | None]:
    """Seconds until each of its questions was answered; None: it was not."""
    end, waited = time.monotonic() + seconds, list[float | None]()
    while time.monotonic() < end:
        started = time.monotonic()
        try:
            with urllib.request.urlopen(f"{url}/health", timeout=30) as reply:
                reply.read()
            waited.append(time.monotonic() - started)
        except OSError:
            waited.append(None)
        time.sleep(0.25)
    return waited


async def one_answer(
    client: httpx.AsyncClient, conversation: str, question: str, tally: Tally
) -> str:
    """The conversation as the page would show it, followed as a browser follows it."""
    where = f"/page/conversations/{conversation}"
    while True:
        asked = await client.post(f"{where}/ask", json={"text": question, "library": "sample"})
        if asked.status_code != 503:
            break
        tally.told_to_come_back += 1
        await asyncio.sleep(float(asked.headers["Retry-After"]))
    asked.raise_for_status()
    async with client.stream("GET", f"{where}/follow") as stream:
        async for line in stream.aiter_lines():
            if line.startswith("data:") and '"busy": false' in line:
                return line
    raise ValueError("the stream ended early")


async def looker(client: httpx.AsyncClient, end: float, tally: Tally) -> None:
    """Somebody who opens the page now and then."""
    while time.monotonic() < end:
        started = time.monotonic()
        try:
            (await client.get("/")).raise_for_status()
        except httpx.HTTPError as error:
            tally.failures.append(repr(error)[:200])
        tally.pages.append(time.monotonic() - started)
        await asyncio.sleep(1)


async def weigher(end: float, tally: Tally) -> None:
    """Somebody who looks at the server's memory."""
    while time.monotonic() < end:
        held = memory(tally.pid)["now_mb"]
        print(f"{len(tally.answers):6} answers: {held} MB", file=sys.stderr, flush=True)  # noqa: T201
        await asyncio.sleep(10)


async def measured(
    url: str, visitors: int, seconds: float, upload: bytes | None, door: str, pid: int
) -> dict[str, Any]:
    tally = Tally(pid)
    limits = httpx.Limits(max_connections=None)
    async with httpx.AsyncClient(base_url=url, timeout=60, limits=limits) as client:
        end = time.monotonic() + seconds
        if door == "api":
            work = [caller(client, end, tally) for _ in range(visitors)]
        else:
            work = [visitor(client, end, tally) for _ in range(visitors)]
        work += [looker(client, end, tally), doctor(url, seconds, tally), weigher(end, tally)]
        ingest: dict[str, Any] = {}
        if upload is not None:
            work.append(ingested(client, upload, ingest))
        await asyncio.gather(*work)
    return tally.summary() | ingest


async def filled(url: str, upload: bytes) -> None:
    async with httpx.AsyncClient(base_url=url) as client:
        await ingested(client, upload, {})


async def ingested(client: httpx.AsyncClient, upload: bytes, told: dict[str, Any]) -> None:
    files = [("files", ("papers.jsonl", upload))]
    started = time.monotonic()
    report = (await client.post("/api/ingest", files=files, timeout=300)).raise_for_status().json()
    told["ingest"] = {"added": report["added"], "s": round(time.monotonic() - started, 1)}


def papers(count: int) -> bytes:
    """Papers of words in an order that no other has."""
    chance = random.Random(7)
    from assistant.sample import SAMPLE_PAPERS  # noqa: PLC0415

    texts = [json.loads(line) for line in SAMPLE_PAPERS.read_text("utf-8").splitlines() if line]
    lines = []
    for n in range(count):
        one, other = chance.sample(texts, 2)
        abstract = f"{one['abstract']} {other['abstract']}"[:1300]
        lines.append(json.dumps({"title": f"{one['title']}, part {n}", "abstract": abstract}))
    return "\n".join(lines).encode()


def memory(pid: int) -> dict[str, int]:
    """MB that the process holds and held at most (Linux)."""
    status = Path(f"/proc/{pid}/status").read_text("ascii")
    found = dict(line.split(":", 1) for line in status.splitlines())
    return {
        name: int(found[key].split()[0]) // 1024
        for name, key in (("now_mb", "VmRSS"), ("most_mb", "VmHWM"))
    }


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--seconds", type=float, default=60)
    parser.add_argument("--visitors", type=int, default=20)
    parser.add_argument("--door", choices=["page", "api"], default="page")
    parser.add_argument("--watch", help=argparse.SUPPRESS)
    given = parser.parse_args()
    if given.watch:
        print(json.dumps(watch(given.watch, given.seconds)))  # noqa: T201
        return 0
    with socket.create_server(("127.0.0.1", 0)) as free:
        port = free.getsockname()[1]
    with tempfile.TemporaryDirectory() as folder:
        command = [sys.executable, "-c", "from assistant.cli import main; main()", "ui"]
        environment = os.environ | {"ASSISTANT_LIBRARY": f"{folder}/library"}
        server = subprocess.Popen(
            [*command, "--no-browser", "--port", str(port)],
            env=environment,
            stderr=subprocess.DEVNULL,
        )
        url = f"http://127.0.0.1:{port}"
        try:
            for _ in range(240):
                try:
                    httpx.get(f"{url}/health")
                    break
                except httpx.TransportError:
                    time.sleep(0.25)
            if given.door == "api":
                from assistant.sample import SAMPLE_PAPERS  # noqa: PLC0415

                asyncio.run(filled(url, SAMPLE_PAPERS.read_bytes()))
            asyncio.run(
                measured(url, 1, 3, None, given.door, server.pid)
            )  # opens the library and the model
            told = {"idle": memory(server.pid)}
            told["asking"] = asyncio.run(
                measured(url, given.visitors, given.seconds, None, given.door, server.pid)
            )
            told["asking"] |= memory(server.pid)
            upload = papers(500)
            told["asking while 500 papers come in"] = asyncio.run(
                measured(
                    url, given.visitors, min(given.seconds, 40), upload, given.door, server.pid
                )
            ) | memory(server.pid)
        finally:
            server.terminate()
            server.wait(20)
    print(json.dumps(told, indent=2))  # noqa: T201
    return 1 if any(part.get("failures") for part in told.values()) else 0


if __name__ == "__main__":
    sys.exit(main())
