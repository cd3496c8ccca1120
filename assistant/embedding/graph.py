"""all-MiniLM-L6-v2 written down as an ONNX graph, from its published weights.

Imported only when the model is prepared: nothing that embeds needs onnx. The graph takes one
text at a time, unpadded (so it has no mask), with mean pooling and the L2 norm inside. Its
outputs, of which a caller asks for what it needs, are ``vector`` (1, 384), ``states`` and
``lower``, both (1, tokens, 384): what the last layer, and the third, make of the tokens.

Raise `assistant.embedding.minilm.GRAPH_VERSION` when something here changes the vectors, and
``FILE_VERSION`` when anything changes.
"""

from __future__ import annotations

import tempfile
from pathlib import Path
from typing import Any

import numpy as np
import onnx
from numpy.typing import NDArray
from onnx import TensorProto, helper, numpy_helper
from onnxruntime.quantization import (  # type: ignore[import-untyped]
    QuantType,
    quantize_dynamic,
)
from safetensors.numpy import load_file

from assistant.embedding.minilm import LOWER_LAYERS

LAYERS = 6
_OUTPUTS = {LOWER_LAYERS - 1: "lower", LAYERS - 1: "states"}
"""Layer, from 0, to the name under which what it makes can be asked for."""
HEADS = 12
_WIDTH = 384
_POSITIONS = 256  # of the 512 that the file has: the model was trained on so many
_MICROSOFT = "com.microsoft"  # domain of ONNX Runtime's fused operators


def build(safetensors: Path, precision: str) -> bytes:
    """The serialised model, "int8" or "fp32", of the (verified) weights file."""
    model = Graph(load_file(safetensors), small_table=precision == "int8").model()
    return quantised(model) if precision == "int8" else bytes(model.SerializeToString())


def quantised(model: onnx.ModelProto) -> bytes:
    """``model`` with int8 weights, one scale a column, and inputs quantised as they come.

    The weights use 7 of the 8 bits (``reduce_range``): with 8, processors without VNNI saturate
    and give other vectors (cosine .990).
    """
    # without this mark, quantize_dynamic logs a warning through the root logger
    helper.set_model_props(model, {"onnx.quant.pre_process": "onnxruntime.quant"})
    with tempfile.TemporaryDirectory() as folder:
        target = Path(folder) / "model.onnx"
        quantize_dynamic(
            model,
            target,
            op_types_to_quantize=["MatMul", "Attention"],
            per_channel=True,
            reduce_range=True,
            weight_type=QuantType.QInt8,
            extra_options={
                # shape inference stops at the fused operators; all activations are floats
                "DefaultTensorType": TensorProto.FLOAT,
                "MatMulConstBOnly": True,
            },
        )
        return target.read_bytes()


class Graph:
    """Writes the six BERT layers down, node by node.

    Args:
        tensors: the safetensors' content, by the names that transformers gives them.
        small_table: keep the table of word vectors as int8 with one scale a word, which makes
            the file a third as large and opening ten times as fast.
    """

    def __init__(self, tensors: dict[str, NDArray[np.float32]], *, small_table: bool) -> None:
        self._tensors = tensors
        self._small_table = small_table
        self.nodes: list[onnx.NodeProto] = []
        self.constants: list[onnx.TensorProto] = []

    def model(self) -> onnx.ModelProto:
        """The whole model: ``ids`` (1, tokens) in; ``vector`` and ``states`` out."""
        x = self._embeddings()
        for layer in range(LAYERS):
            x = self.layer(x, layer, _OUTPUTS.get(layer, f"layer{layer}"))
        mean = self.node("ReduceMean", [x, self.constant("axis", np.array([1]))], keepdims=0)
        self.node("LpNormalization", [mean], "vector", axis=-1, p=2)
        describe = helper.make_tensor_value_info
        graph = helper.make_graph(
            self.nodes,
            "all-MiniLM-L6-v2",
            [describe("ids", TensorProto.INT64, [1, "tokens"])],
            [
                describe("vector", TensorProto.FLOAT, [1, _WIDTH]),
                *(
                    describe(name, TensorProto.FLOAT, [1, "tokens", _WIDTH])
                    for name in _OUTPUTS.values()
                ),
            ],
            self.constants,
        )
        # versions that every ONNX Runtime since 1.14 reads
        opsets = [helper.make_opsetid("", 18), helper.make_opsetid(_MICROSOFT, 1)]
        return helper.make_model(graph, opset_imports=opsets, ir_version=8)

    def _embeddings(self) -> str:
        """Word + position + segment (always the first one), normalised: (1, tokens, 384)."""
        table = self._tensors["embeddings.word_embeddings.weight"]
        if self._small_table:
            scale = (np.abs(table).max(axis=1, keepdims=True) / 127).astype(np.float32)
            scale[scale == 0] = 1  # a row of zeros has no scale
            rounded = self.constant("words", np.rint(table / scale).astype(np.int8))
            row = self.node("Cast", [self.node("Gather", [rounded, "ids"])], to=TensorProto.FLOAT)
            scales = self.node("Gather", [self.constant("scales", scale), "ids"])
            words = self.node("Mul", [row, scales])
        else:
            words = self.node("Gather", [self.constant("words", table), "ids"])
        position = self._tensors["embeddings.position_embeddings.weight"][:_POSITIONS]
        segment = self._tensors["embeddings.token_type_embeddings.weight"][0]
        start = self.constant("start", np.array([0]))
        end = self.node("Shape", ["ids"], start=1, end=2)
        places = self.node("Slice", [self.constant("places", position + segment), start, end])
        return self._norm(self.node("Add", [words, places]), "embeddings.LayerNorm")

    def layer(self, x: str, layer: int, output: str) -> str:
        """One transformer layer: self-attention, then the feed-forward part."""
        name = f"encoder.layer.{layer}"
        heads = [f"{name}.attention.self.{part}" for part in ("query", "key", "value")]
        weight = np.concatenate([self._tensors[f"{head}.weight"].T for head in heads], axis=1)
        bias = np.concatenate([self._tensors[f"{head}.bias"] for head in heads])
        inputs = [
            x,
            self.constant(f"{name}.qkv.weight", weight),
            self.constant(f"{name}.qkv.bias", bias),
        ]
        seen = self.node("Attention", inputs, domain=_MICROSOFT, num_heads=HEADS)
        x = self._residual(x, seen, f"{name}.attention.output")
        wide = self._matmul(x, f"{name}.intermediate.dense")
        shift = self._tensor(f"{name}.intermediate.dense.bias")
        wide = self.node("BiasGelu", [wide, shift], domain=_MICROSOFT)
        return self._residual(x, wide, f"{name}.output", output)

    def _residual(self, x: str, inner: str, name: str, output: str = "") -> str:
        """``norm(x + dense(inner))``.

        As Add + LayerNormalization: the fused SkipLayerNormalization is a fifth slower in int8.
        """
        dense = self._matmul(inner, f"{name}.dense")
        inner = self.node("Add", [dense, self._tensor(f"{name}.dense.bias")])
        return self._norm(self.node("Add", [inner, x]), f"{name}.LayerNorm", output)

    def _matmul(self, x: str, name: str) -> str:
        weight = self.constant(f"{name}.weight", self._tensors[f"{name}.weight"].T)
        return self.node("MatMul", [x, weight])

    def _norm(self, x: str, name: str, output: str = "") -> str:
        inputs = [x, self._tensor(f"{name}.weight"), self._tensor(f"{name}.bias")]
        return self.node("LayerNormalization", inputs, output, axis=-1, epsilon=1e-12)

    def _tensor(self, name: str) -> str:
        return self.constant(name, self._tensors[name])

    def constant(self, name: str, value: NDArray[Any]) -> str:
        """Add a constant; return its name."""
        self.constants.append(numpy_helper.from_array(np.ascontiguousarray(value), name))
        return name

    def node(
        self,
        kind: str,
        inputs: list[str],
        output: str = "",
        domain: str = "",
        **attributes: Any,
    ) -> str:
        """Add a node with one output; return the output's name."""
        output = output or f"{kind}{len(self.nodes)}"
        self.nodes.append(
            helper.make_node(kind, inputs, [output], name=output, domain=domain, **attributes)
        )
        return output
