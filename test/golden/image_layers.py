#!/usr/bin/env python3
"""Writes image-layers.json: PyTorch's pooling, batch normalization and interpolation of images, with gradients.

PyTorch has the channels first, so images are transposed. Its moving variance takes the unbiased variance of a batch of n
numbers, Keras's the biased one. So its new part is multiplied by (n - 1)/n here. PyTorch's momentum is 1 - Keras's.
PyTorch has no unequal padding, so x is padded before it where `same` needs that.
Regenerate with `/usr/bin/python3 test/golden/image_layers.py`.
"""

import os

import torch
import torch.nn.functional as F
from generate import to_json

SEED = 31


def stored(tensor):
    return {"shape": list(tensor.shape), "values": [float(f"{v:.7g}") for v in tensor.detach().flatten().tolist()]}


def last(tensor):
    """[B, C, H, W] to [B, H, W, C]; vectors stay."""
    return tensor.permute(0, 2, 3, 1) if tensor.dim() == 4 else tensor


def case(layer, options, x, compute):
    x = x.requires_grad_()
    y = compute(x)
    d_y = torch.rand(y.shape) * 2 - 1
    (y * d_y).sum().backward()
    return {
        "layer": layer,
        "options": options,
        "x": stored(last(x)),
        "y": stored(last(y)),
        "dY": stored(last(d_y)),
        "dX": stored(last(x.grad)),
    }


def images(*shape):
    return torch.rand(shape) * 2 - 1


def pooling():
    yield case("maxPooling2d", {}, images(2, 3, 6, 8), lambda x: F.max_pool2d(x, 2))
    yield case(
        "maxPooling2d", {"poolSize": [3, 2], "strides": [2, 1]}, images(2, 5, 7, 6), lambda x: F.max_pool2d(x, (3, 2), (2, 1))
    )
    least = -torch.finfo(torch.float32).max
    yield case(
        "maxPooling2d",
        {"poolSize": 3, "strides": 2, "padding": "same"},
        images(2, 4, 6, 7),
        # 6 rows: 1 row of padding, below; 7 columns: 2, one on each side.
        lambda x: F.max_pool2d(F.pad(x, (1, 1, 0, 1), value=least), 3, 2),
    )
    yield case("averagePooling2d", {}, images(2, 3, 6, 8), lambda x: F.avg_pool2d(x, 2))
    yield case(
        "averagePooling2d",
        {"poolSize": 3, "strides": 2, "padding": "same"},
        images(2, 4, 7, 9),
        lambda x: F.avg_pool2d(x, 3, 2, padding=1, count_include_pad=False),
    )
    yield case("globalMaxPooling2d", {}, images(2, 3, 4, 5), lambda x: F.adaptive_max_pool2d(x, 1).flatten(1))
    yield case("globalAveragePooling2d", {}, images(2, 3, 4, 5), lambda x: F.adaptive_avg_pool2d(x, 1).flatten(1))


def up_sampling():
    for mode in ["nearest", "bilinear"]:
        yield case(
            "upSampling2d",
            {"size": [2, 3], "interpolation": mode},
            images(2, 3, 4, 5),
            lambda x: F.interpolate(
                x, scale_factor=(2, 3), mode=mode, **({"align_corners": False} if mode == "bilinear" else {})
            ),
        )


def normalization():
    for shape, momentum in [((6, 5), 0.9), ((3, 4, 3, 5), 0.75)]:
        norm = (torch.nn.BatchNorm1d if len(shape) == 2 else torch.nn.BatchNorm2d)(shape[1], eps=1e-3, momentum=1 - momentum)
        with torch.no_grad():
            norm.weight.copy_(images(shape[1]) + 1.5)
            norm.bias.copy_(images(shape[1]))
        given = [norm.weight.detach().clone(), norm.bias.detach().clone(), torch.zeros(shape[1]), torch.ones(shape[1])]
        count = images(*shape).numel() / shape[1]
        for training in [True, True, False]:
            norm.train(training)
            norm.zero_grad()
            made = case("batchNormalization", {"momentum": momentum}, images(*shape) * 2 + 0.5, norm)
            if training:
                new = norm.running_var - momentum * given[3]
                norm.running_var.copy_(momentum * given[3] + new * (count - 1) / count)
            after = [*given[:2], norm.running_mean.clone(), norm.running_var.clone()]
            yield made | {
                "training": training,
                "weights": [stored(w) for w in given],
                "after": [stored(w) for w in after],
                "dWeights": [stored(norm.weight.grad), stored(norm.bias.grad)],
            }
            given = after


def main():
    torch.manual_seed(SEED)
    cases = [*pooling(), *up_sampling(), *normalization()]
    path = os.path.join(os.path.dirname(os.path.abspath(__file__)), "image-layers.json")
    with open(path, "w") as file:
        file.write(to_json({"torch": torch.__version__, "seed": SEED, "cases": cases}))


if __name__ == "__main__":
    main()
