"""The embedded model gives the published vectors, whatever stands beside a text."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import textwrap
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import numpy as np
import pytest

from assistant.embedding import Embedder, open_embedder
from assistant.embedding.minilm import MAX_TOKENS, MiniLM
from assistant.settings import Settings

MakeSettings = Callable[..., Settings]

WORDS = (
    "ocean model reveals uncertainty protein graph transformer of the in neural network learning "
    "sparse attention"
)
LONG = " ".join(WORDS.split() * 30)  # 450 words: cut off

# First eight numbers of the vector and its product with cos(0), cos(1), ..., cos(383), from
# sentence-transformers on torch 2.13.0 (CPU, fp32) with the published weights.
REFERENCE = [
    (
        "Reading abstracts takes longer than finding them.",
        [0.027943, -0.011374, 0.014411, 0.07423, 0.029006, 0.016187, -0.07169, 0.026894],
        0.017263,
    ),
    (
        "A naïve model, trained on 1,024 examples, reaches 93.5% accuracy.",
        [0.0761, -0.085666, -0.024487, -0.02064, -0.021194, -0.038566, -0.041849, 0.009457],
        -0.29322,
    ),
    (
        "Where do coral reefs recover after bleaching?",
        [0.035884, 0.010028, 0.044677, 0.043386, 0.014657, -0.068445, -0.038309, -0.074214],
        1.301511,
    ),
    (
        LONG,
        [-0.047828, -0.037631, 0.004391, -0.02681, 0.039198, -0.020902, -0.06556, 0.026934],
        -0.280824,
    ),
]
SENTENCES = [
    "We train a graph neural network on protein structures.",
    "Coral reefs bleach when the ocean warms.",
    "The transformer attends to all tokens of its context.",
    "Sparse attention halves the memory of long documents.",
    "x",
    LONG,
    "",
]


@pytest.mark.parametrize(("text", "start", "product"), REFERENCE)
def test_fp32_gives_the_vectors_of_sentence_transformers(
    fp32: MiniLM, text: str, start: list[float], product: float
) -> None:
    vector = fp32.embed_query(text)
    np.testing.assert_allclose(vector[:8], start, atol=2e-6)
    assert float(vector @ np.cos(np.arange(384))) == pytest.approx(product, abs=2e-5)


def test_int8_is_close_to_fp32(minilm: MiniLM, fp32: MiniLM) -> None:
    texts = [text for text, *_ in REFERENCE] + SENTENCES
    cosines = (minilm.embed(texts) * fp32.embed(texts)).sum(axis=1)
    assert cosines.min() > 0.98
    assert np.median(cosines) > 0.99


def test_rows_are_float32_of_length_one_in_order(minilm: MiniLM) -> None:
    vectors = minilm.embed(SENTENCES)
    assert vectors.dtype == np.float32
    assert vectors.shape == (len(SENTENCES), minilm.dimension)
    np.testing.assert_allclose(np.linalg.norm(vectors, axis=1), 1, atol=1e-5)
    for text, vector in zip(SENTENCES, vectors, strict=True):
        np.testing.assert_array_equal(minilm.embed_query(text), vector)


def test_a_vector_does_not_depend_on_its_neighbours_or_on_threads(
    cache: Path, make_settings: MakeSettings, minilm: MiniLM
) -> None:
    alone = MiniLM.open(make_settings(cache, threads=1)).embed(SENTENCES)
    crowded = MiniLM.open(make_settings(cache, threads=7)).embed([LONG, *SENTENCES[::-1], "y" * 50])
    np.testing.assert_array_equal(crowded[1:-1][::-1], alone)
    with ThreadPoolExecutor(4) as pool:
        for vectors in pool.map(lambda _: minilm.embed(SENTENCES), range(4)):
            np.testing.assert_array_equal(vectors, alone)


def test_no_texts(minilm: MiniLM) -> None:
    assert minilm.embed([]).shape == (0, 384)


@pytest.mark.parametrize(
    "text",
    [
        "",
        " \n\t",
        "é" * 5000,
        "深层神经网络",
        "🙂🙃👩‍👩‍👧",
        "\x00\x07",
        "\ud83d",
        "a" * 100_000,
        "[SEP] [MASK]",
    ],
)
def test_any_text_has_a_vector(minilm: MiniLM, text: str) -> None:
    vector = minilm.embed_query(text)
    assert np.isfinite(vector).all()
    assert np.linalg.norm(vector) == pytest.approx(1, abs=1e-5)
    assert minilm.count_tokens(text) >= 0


def test_what_lies_beyond_256_tokens_does_not_count(minilm: MiniLM) -> None:
    exact = " ".join(["word"] * (MAX_TOKENS - 2))
    np.testing.assert_array_equal(minilm.embed_query(exact), minilm.embed_query(exact + " more"))
    shorter = " ".join(["word"] * (MAX_TOKENS - 3))
    assert not np.array_equal(minilm.embed_query(exact), minilm.embed_query(shorter + " more"))


def test_a_book_is_quick_and_equals_its_beginning(minilm: MiniLM) -> None:
    book = f"{LONG} " * 2000  # five million characters
    begin = time.perf_counter()
    np.testing.assert_array_equal(minilm.embed_query(book), minilm.embed_query(LONG))
    assert time.perf_counter() - begin < 1.0
    gap = "reefs" + " " * 50_000 + "bleach"
    np.testing.assert_array_equal(minilm.embed_query(gap), minilm.embed_query("reefs bleach"))


def test_tokens_are_counted_without_ends_and_without_cut(minilm: MiniLM) -> None:
    assert minilm.count_tokens("") == 0
    assert minilm.count_tokens("Hello, world") == 3
    assert minilm.count_tokens("word " * 1000) == 1000


def test_progress_adds_up_in_the_callers_thread(cache: Path, make_settings: MakeSettings) -> None:
    for threads in (1, 2):
        steps: list[int] = []
        MiniLM.open(make_settings(cache, threads=threads)).embed(SENTENCES * 5, steps.append)
        assert sum(steps) == 5 * len(SENTENCES)
        assert all(step > 0 for step in steps)


def test_spans(minilm: MiniLM) -> None:
    text = "Coral reefs bleach. The transformer attends 🙂 to tokens."
    cut = text.index("The")
    read = minilm.read(text)
    assert read.last.shape == read.lower.shape == (len(read.spans) + 2, 384)
    spans = read.pooled([(0, cut), (cut, len(text)), (3, 3), (500, 600)])
    assert spans.shape == (4, 384)
    np.testing.assert_allclose(np.linalg.norm(spans, axis=1), [1, 1, 0, 0], atol=1e-5)
    reefs, attention = minilm.embed(["Coral reefs bleach.", "The transformer attends to tokens."])
    assert spans[0] @ reefs > spans[0] @ attention
    assert spans[1] @ attention > spans[1] @ reefs


def test_spans_beyond_the_cut_are_zero(minilm: MiniLM) -> None:
    text = "word " * 300
    spans = minilm.read(text).pooled([(0, 5 * 254), (5 * 254, len(text))])
    assert np.linalg.norm(spans[0]) == pytest.approx(1, abs=1e-5)
    assert not spans[1].any()


def test_identity(minilm: MiniLM, fp32: MiniLM) -> None:
    assert isinstance(minilm, Embedder)
    assert minilm.name == "all-MiniLM-L6-v2/int8"
    assert minilm.fingerprint == "all-MiniLM-L6-v2/int8:g1:53aa51172d142c89:384"
    assert fp32.fingerprint != minilm.fingerprint


def test_open_embedder_gives_the_embedded_model(cache: Path, make_settings: MakeSettings) -> None:
    notes: list[str] = []
    assert isinstance(open_embedder(make_settings(cache), notify=notes.append), MiniLM)
    assert notes == []  # warm: nothing to wait for


def test_warm_use_imports_neither_onnx_nor_torch_nor_llama_index(cache: Path) -> None:
    code = """
        import sys
        import assistant.embedding
        heavy = {"torch", "transformers", "llama_index", "onnx", "onnxruntime", "openai"}
        assert not heavy & set(sys.modules), heavy & set(sys.modules)
        from assistant.settings import Settings
        assistant.embedding.open_embedder(Settings.load()).embed(["a", "b"])
        heavy.remove("onnxruntime")
        assert not heavy & set(sys.modules), heavy & set(sys.modules)
    """
    result = _python(code, cache)
    assert (result.returncode, result.stdout, result.stderr) == (0, "", "")


@pytest.mark.skipif(os.name == "nt", reason="signals are sent in another way there")
def test_an_interrupt_stops_promptly(cache: Path) -> None:
    code = textwrap.dedent("""
        from assistant.embedding import open_embedder
        from assistant.settings import Settings
        embedder = open_embedder(Settings.load())
        embedder.embed(["word " * 300] * 100_000, lambda done: print(done, flush=True))
    """)
    with subprocess.Popen(
        [sys.executable, "-c", code],
        env={**os.environ, "ASSISTANT_CACHE": str(cache)},
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    ) as process:
        assert process.stdout is not None
        process.stdout.readline()
        begin = time.perf_counter()
        process.send_signal(signal.SIGINT)
        _, error = process.communicate(timeout=30)
        assert time.perf_counter() - begin < 3.0
    assert process.returncode != 0
    assert error.rstrip().endswith("KeyboardInterrupt")


def test_memory_does_not_grow_with_the_number_of_texts(cache: Path) -> None:
    if not Path("/proc/self/status").exists():
        pytest.skip("needs /proc")
    code = """
        from assistant.embedding import open_embedder
        from assistant.settings import Settings
        def megabytes():
            lines = open("/proc/self/status").read().splitlines()
            return next(int(line.split()[1]) for line in lines if line.startswith("VmHWM")) / 1024
        embedder = open_embedder(Settings.load())
        embedder.embed(["word " * 300] * 20)
        before = megabytes()
        embedder.embed(["word " * 300] * 20 + ["word"] * 3000)
        assert megabytes() - before < 20, (before, megabytes())
    """
    result = _python(code, cache)
    assert (result.returncode, result.stderr) == (0, "")


def _python(code: str, cache: Path) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-c", "import warnings\n" + textwrap.dedent(code)],
        env={**os.environ, "ASSISTANT_CACHE": str(cache)},
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )
