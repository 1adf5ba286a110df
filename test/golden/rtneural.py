"""Writes rtneural.json: state dicts of PyTorch as JSON, and one file in the form of RTNeural's Python tools, with the
outputs of PyTorch.

    /usr/bin/python3 test/golden/rtneural.py
"""

import json
import os

import torch
from torch import nn

torch.manual_seed(3)


def plain(tensor):
    return tensor.detach().tolist()


def state_dict(name, recurrent, linear):
    x = torch.rand(1, 20, recurrent[0].input_size) * 2 - 1
    y, weights = x, {}
    for i, layer in enumerate(recurrent):
        y = layer(y)[0]
        weights.update({f"rec{i}.{key}": plain(value) for key, value in layer.state_dict().items()})
    weights.update({f"dense.{key}": plain(value) for key, value in linear.state_dict().items()})
    return {"name": name, "file": weights, "x": plain(x[0]), "y": plain(linear(y)[0])}


def layers_file():
    """time-distributed-dense 1 → 4 (tanh), conv1d 4 → 3 (dilated, relu), prelu, batchnorm, gru 3 → 2, dense 2 → 1."""
    first, conv, norm = nn.Linear(1, 4), nn.Conv1d(4, 3, 2, dilation=3), nn.BatchNorm1d(3, eps=0.01)
    gru, last = nn.GRU(3, 2, batch_first=True), nn.Linear(2, 1)
    slopes = torch.tensor([0.3, -0.2, 1.5])
    norm.running_mean[:], norm.running_var[:] = torch.rand(3), torch.rand(3) + 0.5
    norm.weight.data, norm.bias.data = torch.rand(3) + 0.5, torch.rand(3)
    norm.eval()
    x = torch.rand(1, 20, 1) * 2 - 1
    y = torch.tanh(first(x)).transpose(1, 2)
    y = torch.relu(conv(nn.functional.pad(y, (3, 0)))) - 0.2
    y = torch.maximum(y, torch.zeros(())) + slopes[:, None] * torch.minimum(y, torch.zeros(()))
    y = last(gru(norm(y).transpose(1, 2))[0])[0]

    def gates(weight):  # r z n of PyTorch as z r h of Keras
        r, z, n = weight.chunk(3)
        return torch.cat([z, r, n])

    layer = lambda kind, units, weights, activation="", **more: {  # noqa: E731
        "type": kind,
        "activation": activation,
        "shape": [None, None, units],
        **more,
        "weights": [plain(weight) for weight in weights],
    }
    file = {
        "in_shape": [None, None, 1],
        "samplerate": 48000,
        "layers": [
            layer("time-distributed-dense", 4, [first.weight.T, first.bias], "tanh"),
            layer("conv1d", 3, [conv.weight.permute(2, 1, 0), conv.bias], "relu", kernel_size=[2], dilation=[3]),
            # The shift before the slopes, so that there are negative numbers.
            layer("dense", 3, [torch.eye(3), torch.full([3], -0.2)]),
            layer("prelu", 3, [slopes[None]]),
            layer("batchnorm", 3, [norm.weight, norm.bias, norm.running_mean, norm.running_var], epsilon=0.01),
            layer(
                "gru",
                2,
                [gates(gru.weight_ih_l0).T, gates(gru.weight_hh_l0).T, torch.stack([gates(gru.bias_ih_l0), gates(gru.bias_hh_l0)])],
                "tanh",
            ),
            layer("dense", 1, [last.weight.T, last.bias]),
        ],
    }
    return {"name": "layers", "file": file, "x": plain(x[0]), "y": plain(y)}


cases = [
    state_dict("lstm of two layers", [nn.LSTM(1, 3, 2, batch_first=True)], nn.Linear(3, 1)),
    state_dict("gru, then lstm", [nn.GRU(2, 3, batch_first=True), nn.LSTM(3, 2, batch_first=True)], nn.Linear(2, 2)),
    layers_file(),
]
with open(os.path.join(os.path.dirname(__file__), "rtneural.json"), "w") as out:
    json.dump({"torch": str(torch.__version__), "cases": cases}, out)
    out.write("\n")
