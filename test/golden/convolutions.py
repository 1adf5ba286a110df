#!/usr/bin/env python3
"""Writes convolutions.json: PyTorch's convolutions of images, with the gradients of x, kernel and bias.

PyTorch has the channels first, and [O, I, KH, KW], so images and kernels are transposed. It computes in float64.
Regenerate with `/usr/bin/python3 test/golden/convolutions.py`.
"""

import json
import os

import torch
import torch.nn.functional as F

SEED = 47


def stored(tensor):
    return {"shape": list(tensor.shape), "values": [float(f"{v:.7g}") for v in tensor.detach().flatten().tolist()]}


def random(*shape):
    # Numbers that float32 has.
    return (torch.rand(shape) * 2 - 1).double()


def last(images):
    return images.permute(0, 2, 3, 1)


def case(layer, options, x, kernel, layout, compute):
    """`layout` is the order of the axes of PyTorch's kernel in ours."""
    bias = random(options.get("filters", kernel.shape[0]))
    x, kernel, bias = (each.requires_grad_() for each in (x, kernel, bias))
    y = compute(x, kernel, bias)
    d_y = random(*y.shape)
    (y * d_y).sum().backward()

    def ours(weight):
        moved = weight.permute(*layout)
        # PyTorch's depthwise kernel is [I·M, 1, KH, KW].
        if layer == "depthwiseConv2d":
            moved = moved.reshape(*moved.shape[:2], x.shape[1], -1)
        return stored(moved)

    return {
        "layer": layer,
        "options": options,
        "x": stored(last(x)),
        "weights": [ours(kernel), stored(bias)],
        "y": stored(last(y)),
        "dY": stored(last(d_y)),
        "dX": stored(last(x.grad)),
        "dWeights": [ours(kernel.grad), stored(bias.grad)],
    }


KERNEL = (2, 3, 1, 0)


def conv(options, x, kernel, pad=(0, 0, 0, 0), **arguments):
    return case(
        "conv2d", options, x, kernel, KERNEL, lambda x, w, b: F.conv2d(F.pad(x, pad), w, b, **arguments)
    )


def cases():
    yield conv({"filters": 5, "kernelSize": 3}, random(2, 3, 6, 7), random(5, 3, 3, 3))
    yield conv(
        {"filters": 18, "kernelSize": [3, 5], "padding": "same"}, random(2, 9, 6, 5), random(18, 9, 3, 5), (2, 2, 1, 1)
    )
    # 6 rows: one of padding, below; 7 columns: two, one on each side.
    yield conv(
        {"filters": 4, "kernelSize": 3, "strides": 2, "padding": "same"},
        random(2, 3, 6, 7),
        random(4, 3, 3, 3),
        (1, 1, 0, 1),
        stride=2,
    )
    yield conv(
        {"filters": 3, "kernelSize": [2, 3], "dilationRate": [3, 2]}, random(2, 2, 7, 9), random(3, 2, 2, 3), dilation=(3, 2)
    )
    yield conv(
        {"filters": 6, "kernelSize": 3, "groups": 3, "padding": "same"},
        random(2, 6, 5, 5),
        random(6, 2, 3, 3),
        (1, 1, 1, 1),
        groups=3,
    )
    yield conv({"filters": 4, "kernelSize": 1, "strides": [1, 2]}, random(2, 5, 3, 5), random(4, 5, 1, 1), stride=(1, 2))
    # 3×3 over many channels, which goes by tiles.
    yield conv(
        {"filters": 20, "kernelSize": 3, "padding": "same"}, random(1, 16, 9, 10), random(20, 16, 3, 3), (1, 1, 1, 1)
    )
    yield conv({"filters": 16, "kernelSize": 3}, random(2, 24, 7, 8), random(16, 24, 3, 3))
    yield case(
        "depthwiseConv2d",
        {"kernelSize": 3, "depthMultiplier": 2, "padding": "same"},
        random(2, 3, 5, 6),
        random(6, 1, 3, 3),
        KERNEL,
        lambda x, w, b: F.conv2d(x, w, b, padding=1, groups=3),
    )
    yield case(
        "depthwiseConv2d",
        {"kernelSize": [2, 3], "strides": 2},
        random(2, 9, 6, 7),
        random(9, 1, 2, 3),
        KERNEL,
        lambda x, w, b: F.conv2d(x, w, b, stride=2, groups=9),
    )
    # PyTorch's transposed kernel is [I, O, KH, KW].
    yield case(
        "conv2dTranspose",
        {"filters": 4, "kernelSize": 3, "strides": 2},
        random(2, 3, 3, 4),
        random(3, 4, 3, 3),
        KERNEL,
        lambda x, w, b: F.conv_transpose2d(x, w, b, stride=2),
    )
    yield case(
        "conv2dTranspose",
        {"filters": 2, "kernelSize": 4, "strides": 2, "padding": "same"},
        random(2, 3, 3, 4),
        random(3, 2, 4, 4),
        KERNEL,
        lambda x, w, b: F.conv_transpose2d(x, w, b, stride=2, padding=1),
    )
    yield case(
        "conv2dTranspose",
        {"filters": 2, "kernelSize": 3, "strides": [2, 3], "outputPadding": [1, 2]},
        random(1, 3, 3, 2),
        random(3, 2, 3, 3),
        KERNEL,
        lambda x, w, b: F.conv_transpose2d(x, w, b, stride=(2, 3), output_padding=(1, 2)),
    )


def main():
    torch.manual_seed(SEED)
    golden = {"pytorch": torch.__version__, "seed": SEED, "cases": list(cases())}
    with open(os.path.join(os.path.dirname(os.path.abspath(__file__)), "convolutions.json"), "w") as out:
        out.write(json.dumps(golden) + "\n")


main()
