#!/usr/bin/env python3
"""Writes ops.json: what PyTorch computes for ops that it has too, with the gradients of sum(output · dOutput).

Uses the definitions that Keras 3 shares with PyTorch: leaky_relu with slope 0.2, hardsigmoid = relu6(x + 3)/6, gelu exact
and by tanh, LayerNorm's epsilon inside the root, Conv1d as a cross-correlation. A kernel of Conv1d is stored in Keras's
layout [K, I, O]. Regenerate with `/usr/bin/python3 test/golden/ops.py`.
"""

import os

import torch
import torch.nn.functional as F
from generate import to_json

SEED = 20240
ACTIVATIONS = {
    "relu6": F.relu6,
    "leakyRelu": lambda x: F.leaky_relu(x, 0.2),
    "elu": F.elu,
    "selu": F.selu,
    "celu": lambda x: F.celu(x, 2.0),
    "gelu": F.gelu,
    "geluTanh": lambda x: F.gelu(x, approximate="tanh"),
    "softplus": F.softplus,
    "softsign": F.softsign,
    "silu": F.silu,
    "hardSigmoid": F.hardsigmoid,
    "hardSilu": F.hardswish,
    "mish": F.mish,
    "logSigmoid": F.logsigmoid,
    "hardTanh": F.hardtanh,
    "tanhShrink": F.tanhshrink,
    "softShrink": F.softshrink,
    "hardShrink": F.hardshrink,
    "glu": lambda x: F.glu(x, -1),
}


def uniform(shape, low=-1.0, high=1.0):
    return (torch.rand(shape) * (high - low) + low).requires_grad_()


def stored(tensor):
    return {"shape": list(tensor.shape), "values": [float(f"{v:.7g}") for v in tensor.detach().flatten().tolist()]}


def case(op, options, inputs, compute, layouts=None):
    """Inputs in PyTorch's layouts; `layouts` turns one, and its gradient, into ours."""
    layouts = layouts or [lambda t: t] * len(inputs)
    y, ours = compute(*inputs)
    d_y = torch.rand(y.shape) * 2 - 1
    (y * d_y).sum().backward()
    return {
        "op": op,
        "options": options,
        "inputs": [stored(to(x)) for to, x in zip(layouts, inputs)],
        "output": stored(ours(y)),
        "dOutput": stored(ours(d_y)),
        "gradients": [stored(to(x.grad)) for to, x in zip(layouts, inputs)],
    }


def same(y):
    return y, lambda t: t


def conv_case(batch, time, channels, outputs, taps, stride=1, padding="valid", dilation=1):
    x, kernel, bias = uniform([batch, channels, time]), uniform([outputs, channels, taps]), uniform([outputs])

    def compute(x, kernel, bias):
        span = (taps - 1) * dilation
        padded = F.pad(x, (span, 0)) if padding == "causal" else x
        y = F.conv1d(padded, kernel, bias, stride, "same" if padding == "same" else 0, dilation)
        return y, lambda t: t.transpose(1, 2)

    options = {"strides": stride, "padding": padding, "dilationRate": dilation}
    layouts = [lambda t: t.transpose(1, 2), lambda t: t.permute(2, 1, 0), lambda t: t]
    return case("conv1d", options, [x, kernel, bias], compute, layouts)


def attention(q, k, v):
    return same(torch.softmax(q @ k.transpose(1, 2) / q.shape[-1] ** 0.5, -1) @ v)


def main():
    torch.manual_seed(SEED)
    torch.set_num_threads(1)
    cases = [
        case("activation", {"name": name}, [uniform([3, 8], -7, 7)], lambda x, f=f: same(f(x)))
        for name, f in ACTIVATIONS.items()
    ]
    for shape in ([2, 3, 5], [4, 9]):
        inputs = [uniform(shape, -2, 2), uniform(shape[-1:]), uniform(shape[-1:])]
        cases.append(
            case("layerNorm", {"epsilon": 1e-3}, inputs, lambda x, g, b: same(F.layer_norm(x, g.shape, g, b, 1e-3)))
        )
    cases += [
        conv_case(2, 7, 3, 4, 3),
        conv_case(2, 8, 3, 4, 3, stride=2),
        conv_case(2, 9, 2, 3, 3, dilation=3),
        conv_case(1, 9, 3, 2, 2, stride=2, dilation=2),
        conv_case(2, 6, 3, 4, 3, padding="same"),
        conv_case(2, 6, 3, 4, 4, padding="same"),
        conv_case(2, 6, 3, 4, 3, padding="same", dilation=2),
        conv_case(2, 6, 3, 4, 3, padding="causal", dilation=2),
        case(
            "batchMatmul",
            {"transposeA": True, "transposeB": True},
            [uniform([3, 4, 2]), uniform([3, 5, 4])],
            lambda a, b: same(torch.bmm(a.transpose(1, 2), b.transpose(1, 2))),
        ),
        case("attention", {"scale": 0.5}, [uniform([2, 3, 4]), uniform([2, 5, 4]), uniform([2, 5, 6])], attention),
        case("logSumExp", {"axis": 1}, [uniform([2, 5, 3], -9, 9)], lambda x: same(torch.logsumexp(x, 1))),
        # Two of three are equal: each has half of the gradient.
        case(
            "max",
            {"axis": 1},
            [torch.tensor([[[1.0, -2.0], [3.0, -2.0], [3.0, -4.0]]], requires_grad=True)],
            lambda x: same(torch.amax(x, 1)),
        ),
    ]
    golden = {"generator": "test/golden/ops.py", "torch": torch.__version__, "seed": SEED, "cases": cases}
    path = os.path.join(os.path.dirname(os.path.abspath(__file__)), "ops.json")
    with open(path, "w") as file:
        file.write(to_json(golden) + "\n")
    print(f"{path}: {len(cases)} cases, {os.path.getsize(path)} bytes")


if __name__ == "__main__":
    main()
