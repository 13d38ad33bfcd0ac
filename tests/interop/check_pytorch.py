"""Loads the model files that mfnet has written in PyTorch, and writes some from there for mfnet to read.

    python check_pytorch.py FOLDER        (PyTorch and safetensors; tests/files/interop.rs calls it)

Each NAME.json in the folder goes with NAME.safetensors: it holds inputs as the network sees them, and what mfnet's
network gives for them. For each, NAME.torch.safetensors is written, the same modules with other weights, with
NAME.torch.json, what they give.
"""

import json
import sys
from pathlib import Path

import torch
from safetensors import safe_open
from safetensors.torch import load_file, save_file
from torch import nn

TOLERANCE = {"f32": 1e-5, "f64": 1e-10}
NUMBER = {"f32": torch.float32, "f64": torch.float64}


def modules_of(path):
    """The nn.Sequential that the file's metadata describes: kinds and options are PyTorch's own."""
    with safe_open(path, "pt") as file:
        description = json.loads(file.metadata()["mfnet"])
    layers = [getattr(nn, layer["kind"])(**layer.get("options", {})) for layer in description["layers"]]
    return nn.Sequential(*layers).to(NUMBER[description["precision"]]).eval()


def check_close(what, found, expected, tolerance):
    """Equal within the tolerance, relative to numbers above 1."""
    assert found.shape == expected.shape, f"{what}: shape {found.shape}, not {expected.shape}"
    worst = ((found - expected).abs() / expected.abs().clamp(min=1)).max().item()
    assert worst <= tolerance, f"{what}: off by {worst}"
    return worst


@torch.no_grad()
def check(path, seed):
    case = json.loads(path.read_text())
    number, tolerance = NUMBER[case["precision"]], TOLERANCE[case["precision"]]
    inputs, expected = (torch.tensor(case[key], dtype=number) for key in ["network_input", "network_output"])
    file = path.with_suffix(".safetensors")
    modules = modules_of(file)
    modules.load_state_dict(load_file(file), strict=True)
    worst = check_close(file, modules(inputs), expected, tolerance)

    torch.manual_seed(seed)
    for module in modules:
        if hasattr(module, "reset_parameters"):
            module.reset_parameters()
    outputs = modules(inputs)
    assert not torch.equal(outputs, expected), "these are other weights"
    save_file(modules.state_dict(), path.with_suffix(".torch.safetensors"))
    path.with_suffix(".torch.json").write_text(json.dumps(outputs.tolist()))
    print(f"{path.stem}: loaded strictly; PyTorch is off by at most {worst:.1e}")


def main():
    folder = Path(sys.argv[1])
    cases = sorted(path for path in folder.glob("*.json") if path.name.count(".") == 1)
    assert cases, f"no cases in {folder}"
    for seed, path in enumerate(cases):
        check(path, seed)
    print(f"{len(cases)} models: PyTorch {torch.__version__}, passed")


if __name__ == "__main__":
    main()
