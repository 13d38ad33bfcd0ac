"""Reads the model files that mfnet has written with the formats' own libraries, and writes some for mfnet to read.

    python check_formats.py FOLDER        (numpy, onnx, onnxruntime and safetensors; tests/files/interop.rs calls it)

Each NAME.json in the folder goes with NAME.safetensors and NAME.onnx: it holds raw inputs and what mfnet predicts for
them. For each, NAME.F16.safetensors and so on are written, the same weights in other types and under other names, with
NAME.F16.weights.json, the numbers that mfnet is to read from them.
"""

import json
import math
import struct
import sys
from pathlib import Path

import numpy as np
import onnx
import onnxruntime
import safetensors
from onnx.reference import ReferenceEvaluator
from onnx.reference.op_run import OpRun
from safetensors.numpy import load_file, save_file

TOLERANCE = {"f32": 1e-5, "f64": 1e-10}
NUMBER = {"f32": np.float32, "f64": np.float64}


class Erf(OpRun):
    """The error function in the precision of its argument; that of the reference rounds to f32."""

    op_domain = ""

    def _run(self, x):
        return (np.vectorize(math.erf, otypes=[x.dtype])(x),)


def read_case(path):
    """What mfnet says, with arrays in its precision."""
    case = json.loads(path.read_text())
    for key in ["input", "output", "probabilities"]:
        if case.get(key) is not None:
            # JSON has no NaN; a missing value is null.
            case[key] = np.array(case[key], dtype=float).astype(NUMBER[case["precision"]])
    return case


def check_close(what, found, expected, tolerance):
    """Equal within the tolerance, relative to numbers above 1."""
    assert found.shape == expected.shape, f"{what}: shape {found.shape}, not {expected.shape}"
    worst = np.max(np.abs(found - expected) / np.maximum(1, np.abs(expected)), initial=0)
    assert worst <= tolerance, f"{what}: off by {worst}"
    return worst


def check_safetensors(path, case):
    """Names, shapes and types are those that PyTorch's nn.Sequential would have written; the rest is one JSON value."""
    expected = {}
    with safetensors.safe_open(path, "numpy") as file:
        metadata = file.metadata()
        assert list(metadata) == ["mfnet"], f"{path}: metadata {list(metadata)}"
    description = json.loads(metadata["mfnet"])
    assert description["precision"] == case["precision"]
    for index, layer in enumerate(description["layers"]):
        if layer["kind"] == "Linear":
            inputs, outputs = layer["options"]["in_features"], layer["options"]["out_features"]
            expected |= {f"{index}.weight": (outputs, inputs), f"{index}.bias": (outputs,)}
        else:
            # Other layers' shapes are checked by PyTorch itself, in check_pytorch.py.
            expected |= {name: case["shapes"][name] for name in case["shapes"] if name.startswith(f"{index}.")}
    tensors = load_file(path)
    found = {name: values.shape for name, values in tensors.items()}
    assert found == {name: tuple(shape) for name, shape in expected.items()}, f"{path}: {found}, not {expected}"
    for name, values in tensors.items():
        expected = np.int64 if name.endswith(".num_batches_tracked") else NUMBER[case["precision"]]
        assert values.dtype == expected, f"{path}: {name} is {values.dtype}"
    return tensors


def check_onnx(path, case):
    """The checker passes it, with inferred shapes, and onnxruntime predicts what mfnet does."""
    model = onnx.load(path)
    onnx.checker.check_model(model, full_check=True)
    names = {entry.key: entry.value for entry in model.metadata_props}
    assert names["task"] == case["task"] and json.loads(names["labels"]) == case["labels"]
    assert json.loads(names["answers"]) == ([["0", "1"]] * 3 if case["task"] == "binary" else [])
    # A network that ends in a softmax has its probabilities under two names.
    operators = [node.op_type for node in model.graph.node if list(node.output) != ["probabilities"]]
    assert "Identity" not in operators, f"{path}: {operators}"
    if {"Conv", "Elu", "Erf", "Softplus"} & set(operators) and case["precision"] == "f64":
        # onnxruntime computes these in f32 only.
        session = ReferenceEvaluator(model, new_ops=[Erf])
    else:
        session = onnxruntime.InferenceSession(path, providers=["CPUExecutionProvider"])
    names = [value.name for value in model.graph.output]
    found = dict(zip(names, session.run(None, {"input": case["input"]})))
    tolerance = TOLERANCE[case["precision"]]
    if any(node.op_type in {"LeakyRelu", "Elu"} for node in model.graph.node):
        # ONNX keeps its slope or alpha in f32: 0.01 is off by up to 2^-25 of itself, in f64 networks too.
        tolerance = max(tolerance, 1e-7)
    worst = check_close(f"{path}: output", found["output"], case["output"], tolerance)
    if case["task"] in {"classification", "binary"}:
        # Scores have no probabilities.
        assert ("probabilities" in found) == ("probabilities" in case), f"{path}: {list(found)}"
        if "probabilities" in case:
            check_close(f"{path}: probabilities", found["probabilities"], case["probabilities"], tolerance)
        assert found["label"].tolist() == case["label"], f"{path}: labels differ"
    else:
        assert list(found) == ["output"]
    # One sample is a batch too.
    alone = session.run(["output"], {"input": case["input"][:1]})[0]
    check_close(f"{path}: one sample", alone, case["output"][:1], tolerance)
    return worst


def renamed(tensors):
    """The tensors with a prefix, and with the modules' numbers one higher."""
    parts = [name.split(".", 1) + [values] for name, values in tensors.items()]
    return {f"net.{int(index) + 1}.{name}": values for index, name, values in parts}


def write_bfloat16(tensors, path):
    """As save_file, which has no such type, so that the file is put together by hand; gives the numbers in it."""
    halves = {name: (values.astype(np.float32).view(np.uint32) >> 16).astype("<u2") for name, values in tensors.items()}
    header, start = {}, 0
    for name, half in halves.items():
        header[name] = {"dtype": "BF16", "shape": half.shape, "data_offsets": [start, start + half.nbytes]}
        start += half.nbytes
    header = json.dumps(header).encode()
    path.write_bytes(struct.pack("<Q", len(header)) + header + b"".join(half.tobytes() for half in halves.values()))
    with safetensors.safe_open(path, "numpy") as file:
        assert set(file.keys()) == set(halves), f"{path}: not the file that was meant"
    return {name: (half.astype(np.uint32) << 16).view(np.float32) for name, half in halves.items()}


def write_others(stem, tensors):
    """Files for mfnet to read, and the numbers that are in them."""
    originals = renamed(tensors)
    for dtype, number in {"F16": np.float16, "F32": np.float32, "F64": np.float64, "BF16": None}.items():
        path = stem.with_name(f"{stem.name}.{dtype}.safetensors")
        if number is None:
            written = write_bfloat16(originals, path)
        else:
            written = {name: values.astype(number) for name, values in originals.items()}
            save_file(written, path)
        values = {name: values.astype(np.float64).ravel().tolist() for name, values in written.items()}
        stem.with_name(f"{stem.name}.{dtype}.weights.json").write_text(json.dumps(values))


def main():
    folder = Path(sys.argv[1])
    cases = sorted(path for path in folder.glob("*.json") if path.name.count(".") == 1)
    assert cases, f"no cases in {folder}"
    for path in cases:
        case, stem = read_case(path), path.with_suffix("")
        worst = check_onnx(path.with_suffix(".onnx"), case)
        tensors = check_safetensors(path.with_suffix(".safetensors"), case)
        write_others(stem, tensors)
        print(f"{stem.name}: {len(tensors)} tensors; ONNX is off by at most {worst:.1e}")
    print(f"{len(cases)} models: onnx {onnx.__version__}, onnxruntime {onnxruntime.__version__}, passed")


if __name__ == "__main__":
    main()
