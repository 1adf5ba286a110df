#!/usr/bin/env python3
"""Writes numpy-ops.json: what NumPy computes in float32 for ops that are named after its functions.

Every pair of special numbers for comparisons, powers, maximum and minimum; shapes that broadcast; the place of the greatest
where there are NaNs. The pinball losses are scikit-learn's formula (sklearn.metrics.mean_pinball_loss, 1.5), written out.
Regenerate with `/usr/bin/python3 test/golden/numpy_ops.py`; made with NumPy 1.24.2.
"""

import json
import os

import numpy as np

SPECIAL = np.float32([0.0, -0.0, 1, -1, 0.5, -0.5, 2, -2, 3, -3, 1e-30, 3e38, np.inf, -np.inf, np.nan])
PAIRS = {
    "greater": np.greater,
    "greaterEqual": np.greater_equal,
    "less": np.less,
    "lessEqual": np.less_equal,
    "equal": np.equal,
    "notEqual": np.not_equal,
    "maximum": np.maximum,
    "minimum": np.minimum,
    "pow": np.power,
}
BROADCASTS = [
    ([4, 3, 5], [4, 1, 5]),
    ([4, 3, 5], [3, 1]),
    ([4, 1, 5], [1, 3, 1]),
    ([1, 1, 1], [5]),
    ([2, 1, 3, 1], [4, 1, 2]),
]


def numbers(values):
    def word(value):
        if np.isnan(value):
            return "NaN"
        return ("-" if value < 0 else "") + "Infinity" if np.isinf(value) else float(f"{value:.9g}")

    return [word(value) for value in np.asarray(values, dtype=np.float64).flatten()]


def stored(array):
    return {"shape": list(array.shape), "values": numbers(array)}


def pinball(y, predicted, quantile):
    diff = y - predicted
    sign = (diff >= 0).astype(diff.dtype)
    return quantile * sign * diff - (1 - quantile) * (1 - sign) * diff


def main():
    rng = np.random.default_rng(20240)
    uniform = lambda shape: (rng.random(shape) * 2 - 1).astype(np.float32)
    a, b = SPECIAL[:, None], SPECIAL[None, :]
    with np.errstate(all="ignore"):
        pairs = {name: numbers(f(a, b)) for name, f in PAIRS.items()}
        angles = np.concatenate([uniform(40) * 10, uniform(20) * 1e4, [0, np.pi, np.pi / 2, 1e-20, np.inf, np.nan]])
        angles = angles.astype(np.float32)
        waves = {name: numbers(f(angles.astype(np.float64))) for name, f in (("sin", np.sin), ("cos", np.cos))}
    broadcasts = [
        {"a": stored(x), "b": stored(y), "y": stored(x * y)}
        for x, y in ((uniform(left), uniform(right)) for left, right in BROADCASTS)
    ]
    x = uniform([3, 4, 5])
    holes = x.copy()
    holes[0, 1, 2] = holes[0, 3, 2] = holes[2, 0, 4] = np.nan
    holes[1, 1, :] = 0.25
    along = [
        {
            "axis": axis,
            "cumsum": stored(np.cumsum(x, axis=axis)),
            "argmax": stored(np.argmax(holes, axis=axis)),
        }
        for axis in (0, 1, 2, -1)
    ]
    left, right = uniform([2, 1, 3, 4]), uniform([5, 2, 4])
    matmul = {"a": stored(left), "b": stored(right), "y": stored(left @ right.swapaxes(-1, -2))}
    pad = stored(np.pad(x, [(1, 0), (0, 2), (1, 1)], constant_values=7))
    y, predicted = uniform([6, 3]), uniform([6, 3])
    quantiles = [0.1, 0.5, 0.9]
    losses = {
        "y": stored(y),
        "predicted": stored(predicted),
        # One quantile for all outputs, as mean_pinball_loss(y, predicted, alpha=0.7) has it.
        "one": float(pinball(y, predicted, 0.7).mean()),
        # And one for each output, all compared with the first column: mean_pinball_loss(y[:, 0], predicted[:, i],
        # alpha=q), then their mean.
        "several": float(np.mean([pinball(y[:, 0], predicted[:, i], q).mean() for i, q in enumerate(quantiles)])),
    }
    result = {
        "special": numbers(SPECIAL),
        "pairs": pairs,
        "angles": numbers(angles),
        "waves": waves,
        "broadcasts": broadcasts,
        "x": stored(x),
        "holes": stored(holes),
        "along": along,
        "matmul": matmul,
        "pad": pad,
        "pinball": losses,
    }
    with open(os.path.join(os.path.dirname(__file__), "numpy-ops.json"), "w") as file:
        json.dump(result, file, separators=(",", ":"))
        file.write("\n")


main()
