"""The trained cross-encoders, of questions and of claims, written down as ONNX graphs, int8."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
import onnx
from numpy.typing import NDArray
from onnx import TensorProto, helper, numpy_helper

from assistant.embedding.graph import LAYERS, Graph, quantised
from assistant.embedding.minilm import DIMENSION, LOWER_LAYERS

__all__ = ["PARTS", "export", "export_claims", "parameters"]

_BIASES = ("bias", "head.bias", "mul.bias", "claim.bias")

PARTS = {
    "o": "attention.output.dense",
    "n1": "attention.output.LayerNorm",
    "up": "intermediate.dense",
    "down": "output.dense",
    "n2": "output.LayerNorm",
}
"""The network's name of a layer's part, and the published model's."""


def export(state: Mapping[str, NDArray[np.float32]]) -> bytes:
    """The serialised model of a network's parameters, by the names that they have there.

    In: ``question`` (1, tokens, 384) and ``passage`` (1, tokens, 384), lower states; ``pool``
    (sentences, tokens of the passage), each row the mean over a sentence's tokens. Out:
    ``log_odds`` (sentences,).
    """
    graph = Graph(_as_published(state), small_table=False)
    node, constant = graph.node, graph.constant
    asked = node("Add", ["question", constant("type.question", state["types"][0])])
    told = node("Add", ["passage", constant("type.passage", state["types"][1])])
    x = node("Concat", [asked, told], axis=1)
    for layer in range(LOWER_LAYERS, LAYERS):
        x = graph.layer(x, layer, f"layer{layer}")
    length = node("Shape", ["question"], start=1, end=2)
    start, axis = constant("start", np.array([0])), constant("axis", np.array([1]))
    end = constant("end", np.array([2**31 - 1]))
    question = node("ReduceMean", [node("Slice", [x, start, length, axis]), axis], keepdims=0)
    passage = node("Squeeze", [node("Slice", [x, length, end, axis]), start])
    sentences = node("MatMul", ["pool", passage])
    both = node(
        "Mul",
        [node("LpNormalization", [part], axis=-1, p=2) for part in (sentences, question)],
    )

    parts = [
        _dot(graph, both, _of_both(state), "of.both", axis),
        _dot(graph, sentences, state["head.weight"][0], "of.sentence", axis),
    ]
    odds = node("Add", parts)
    bias = state["bias"] + state["head.bias"][0] + state["mul.bias"][0]
    node("Add", [odds, constant("bias", np.asarray(bias, np.float32))], "log_odds")
    describe, number = helper.make_tensor_value_info, TensorProto.FLOAT
    return _finished(
        graph,
        "cross-encoder",
        [
            describe("question", number, [1, "asked", DIMENSION]),
            describe("passage", number, [1, "tokens", DIMENSION]),
            describe("pool", number, ["sentences", "tokens"]),
        ],
    )


def export_claims(state: Mapping[str, NDArray[np.float32]]) -> bytes:
    """The same of a network that reads claims (`assistant.answering.entailment`).

    In: ``lower`` (1, tokens, 384); ``kinds`` and ``marks`` (tokens,); ``claim`` (1, tokens), the
    mean over the claim's tokens; ``pool`` (sentences, tokens), that over each sentence's. Out:
    ``log_odds`` (sentences,).
    """
    graph = Graph(_as_published(state), small_table=False)
    node, constant = graph.node, graph.constant
    kinds = node("Gather", [constant("of.kinds", state["kinds"]), "kinds"])
    marks = node("Gather", [constant("of.marks", state["marks"]), "marks"])
    x = node("Add", ["lower", node("Add", [kinds, marks])])
    for layer in range(LOWER_LAYERS, LAYERS):
        x = graph.layer(x, layer, f"layer{layer}")
    start, axis = constant("start", np.array([0])), constant("axis", np.array([1]))
    whole = node("Squeeze", [x, start])
    claim, sentences = node("MatMul", ["claim", whole]), node("MatMul", ["pool", whole])
    both = node(
        "Mul", [node("LpNormalization", [part], axis=-1, p=2) for part in (sentences, claim)]
    )

    parts = [
        _dot(graph, both, _of_both(state), "of.both", axis),
        _dot(graph, sentences, state["head.weight"][0], "of.sentence", axis),
        _dot(graph, claim, state["claim.weight"][0], "of.claim", axis),
    ]
    bias = sum(np.asarray(state[name]).reshape(-1)[0] for name in _BIASES)
    odds = node("Add", [node("Add", parts[:2]), parts[2]])
    node("Add", [odds, constant("bias", np.asarray([bias], np.float32))], "log_odds")
    describe, number = helper.make_tensor_value_info, TensorProto.FLOAT
    return _finished(
        graph,
        "entailment",
        [
            describe("lower", number, [1, "tokens", DIMENSION]),
            describe("kinds", TensorProto.INT64, ["tokens"]),
            describe("marks", TensorProto.INT64, ["tokens"]),
            describe("claim", number, [1, "tokens"]),
            describe("pool", number, ["sentences", "tokens"]),
        ],
    )


def _of_both(state: Mapping[str, NDArray[np.float32]]) -> NDArray[np.float32]:
    """What the product of two unit vectors is worth, by dimension."""
    return np.asarray(state["tau"] + state["mul.weight"][0] * DIMENSION**0.5, np.float32)


def _dot(graph: Graph, vectors: str, weights: NDArray[np.float32], name: str, axis: str) -> str:
    row = graph.constant(name, weights.astype(np.float32).reshape(1, DIMENSION))
    return graph.node("ReduceSum", [graph.node("Mul", [vectors, row]), axis], keepdims=0)


def _finished(graph: Graph, name: str, inputs: list[Any]) -> bytes:
    """The graph with its ``inputs`` and its one output, int8."""
    odds = helper.make_tensor_value_info("log_odds", TensorProto.FLOAT, ["sentences"])
    made = helper.make_graph(graph.nodes, name, inputs, [odds], graph.constants)
    opsets = [helper.make_opsetid("", 18), helper.make_opsetid("com.microsoft", 1)]
    return quantised(helper.make_model(made, opset_imports=opsets, ir_version=8))


def parameters(model: bytes) -> dict[str, NDArray[np.float32]]:
    """What `export` wrote, as the network's parameters again, as near as its int8 has them."""
    held = {
        tensor.name: numpy_helper.to_array(tensor)
        for tensor in onnx.load_model_from_string(model).graph.initializer
    }

    def weights(name: str) -> NDArray[np.float32]:
        whole = held[f"{name}_quantized"].astype(np.float32) - held[f"{name}_zero_point"]
        return np.ascontiguousarray((whole * held[f"{name}_scale"]).T, np.float32)

    found = {"types": np.stack([held["type.question"], held["type.passage"]])}
    for layer in range(LOWER_LAYERS, LAYERS):
        own, name = f"layers.{layer - LOWER_LAYERS}", f"encoder.layer.{layer}"
        for part, said in {"qkv": "qkv", **PARTS}.items():
            plain = f"{name}.{said}.weight" in held
            weight = f"{name}.{said}.weight"
            found[f"{own}.{part}.weight"] = held[weight] if plain else weights(weight)
            found[f"{own}.{part}.bias"] = held[f"{name}.{said}.bias"]
    tau = held["of.both"].mean()
    nothing = np.zeros(1, np.float32)
    return found | {
        "tau": np.float32(tau),
        "mul.weight": (held["of.both"] - tau) / np.float32(DIMENSION**0.5),
        "mul.bias": nothing,
        "head.weight": held["of.sentence"],
        "head.bias": nothing,
        "bias": np.float32(held["bias"][0]),
    }


def _as_published(state: Mapping[str, NDArray[np.float32]]) -> dict[str, NDArray[Any]]:
    """The layers' parameters by the names of the published model."""
    found: dict[str, NDArray[Any]] = {}
    for layer in range(LOWER_LAYERS, LAYERS):
        own, name = f"layers.{layer - LOWER_LAYERS}", f"encoder.layer.{layer}"
        for kind in ("weight", "bias"):
            thirds = np.split(state[f"{own}.qkv.{kind}"], 3)
            for part, third in zip(("query", "key", "value"), thirds, strict=True):
                found[f"{name}.attention.self.{part}.{kind}"] = third
            for part, said in PARTS.items():
                found[f"{name}.{said}.{kind}"] = state[f"{own}.{part}.{kind}"]
    return found
