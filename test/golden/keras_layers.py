"""Layers that Keras and PyTorch share, with PyTorch's numbers: keras-layers.json.

    /usr/bin/python3 test/golden/keras_layers.py

torch 1.13. Each case has Keras's class and options, the inputs, and weights in Keras's order.
"""
import json
import pathlib

import torch
from torch.nn import functional as F

torch.manual_seed(17)
cases = []


def values(tensor):
    return {"shape": list(tensor.shape), "data": tensor.flatten().tolist()}


def case(name, config, inputs, weights, y):
    given = {"x": [values(x) for x in inputs], "weights": [values(w) for w in weights], "y": values(y)}
    cases.append({"className": name, "config": config, **given})


x = torch.randn(2, 5, 6)
gamma, beta = torch.randn(6), torch.randn(6)
for groups, epsilon in (1, 1e-3), (3, 1e-5), (6, 1e-2):
    y = F.group_norm(x.transpose(1, 2), groups, gamma, beta, epsilon).transpose(1, 2)
    case("GroupNormalization", {"groups": groups, "epsilon": epsilon}, [x], [gamma, beta], y)

images = torch.randn(2, 3, 4, 6)
y = F.group_norm(images.permute(0, 3, 1, 2), 2, eps=1e-3).permute(0, 2, 3, 1)
case("GroupNormalization", {"groups": 2, "scale": False, "center": False}, [images], [], y)
case("UnitNormalization", {}, [x], [], F.normalize(x, dim=-1, eps=1e-6))
case("UnitNormalization", {"axis": 1}, [x], [], F.normalize(x, dim=1, eps=1e-6))

a, b = torch.randn(2, 4, 3), torch.randn(2, 5, 3)
case("Dot", {"axes": [2, 2]}, [a, b], [], torch.einsum("bik,bjk->bij", a, b))
v = torch.randn(2, 3)
case("Dot", {"axes": [1, 2]}, [v, b], [], torch.einsum("bk,bjk->bj", v, b))
c = torch.randn(2, 4, 3)
cosine = torch.einsum("bik,bjk->bij", F.normalize(a, dim=2), F.normalize(c, dim=2))
case("Dot", {"axes": -1, "normalize": True}, [a, c], [], cosine)
case("Maximum", {}, [a, c], [], torch.maximum(a, c))
case("Minimum", {}, [a, c], [], torch.minimum(a, c))
slopes = torch.randn(3)
y = F.prelu(a.transpose(1, 2), slopes).transpose(1, 2)
case("PReLU", {"shared_axes": [1]}, [a], [slopes.reshape(1, 3)], y)
case("Softmax", {"axis": 1}, [a], [], F.softmax(a, 1))
case("ReLU", {"threshold": 0.5}, [a], [], F.threshold(a, 0.5, 0))
case("ThresholdedReLU", {"theta": 0.25}, [a], [], F.threshold(a, 0.25, 0))
case("Identity", {}, [a], [], a)

text = ",\n".join(json.dumps(each) for each in cases)
(pathlib.Path(__file__).parent / "keras-layers.json").write_text(f"[\n{text}\n]\n")
