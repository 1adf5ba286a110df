"""Writes nam.json: small WaveNets, LSTMs and a Linear model in the form of .nam files, with outputs in float64.

The formulas and the order of the weights are those of NeuralAmpModelerCore (NAM/wavenet.cpp, NAM/lstm.cpp,
NAM/dsp.cpp), told here once more: one loop over samples, histories that start as zeros, no prewarm. numpy only.

    python3 test/golden/nam.py
"""

import json
import os

import numpy as np


def array(input_size, channels, head_size, dilations, gated=False, head_bias=False, activation="Tanh", kernel_size=3):
    return {
        "input_size": input_size,
        "condition_size": 1,
        "head_size": head_size,
        "channels": channels,
        "kernel_size": kernel_size,
        "dilations": dilations,
        "activation": activation,
        "gated": gated,
        "head_bias": head_bias,
    }


TEN = [2**i for i in range(10)]
SHAPES = {
    # The shapes of the trainer's presets, with shorter dilations where the file would be large.
    "standard": [array(1, 16, 8, [1, 2, 4, 8]), array(16, 8, 1, [1, 2, 4, 8], head_bias=True)],
    "lite": [array(1, 12, 6, TEN[:7]), array(12, 6, 1, [128, 256, 512, 1, 2, 4, 8], head_bias=True)],
    "feather": [array(1, 8, 4, TEN[:7]), array(8, 4, 1, [128, 256, 512, 1, 2, 4, 8], head_bias=True)],
    "nano": [array(1, 4, 2, TEN[:7]), array(4, 2, 1, [128, 256, 512, 1, 2, 4, 8], head_bias=True)],
    "gated": [
        array(1, 3, 2, [1, 3], gated=True, activation="ReLU", kernel_size=2, head_bias=True),
        array(3, 2, 1, [1, 5], gated=True),
    ],
}

ACTIVATIONS = {"Tanh": np.tanh, "ReLU": lambda z: np.maximum(z, 0)}


def count(config):
    total = 1
    for a in config:
        c, z = a["channels"], a["channels"] * (2 if a["gated"] else 1)
        total += c * a["input_size"]
        total += len(a["dilations"]) * (z * c * a["kernel_size"] + z + z * a["condition_size"] + c * c + c)
        total += a["head_size"] * (c + (1 if a["head_bias"] else 0))
    return total


class Reader:
    def __init__(self, values):
        self.values, self.at = values, 0

    def take(self, *shape):
        n = int(np.prod(shape))
        taken = self.values[self.at : self.at + n].reshape(shape)
        self.at += n
        return taken


def run(config, weights, x):
    r = Reader(weights)
    arrays = []
    for a in config:
        c, z, k = a["channels"], a["channels"] * (2 if a["gated"] else 1), a["kernel_size"]
        rechannel = r.take(c, a["input_size"])
        layers = [
            (r.take(z, c, k), r.take(z), r.take(z, a["condition_size"]), r.take(c, c), r.take(c)) for _ in a["dilations"]
        ]
        head = r.take(a["head_size"], c)
        arrays.append((a, rechannel, layers, head, r.take(a["head_size"]) if a["head_bias"] else 0))
    scale = r.take(1)[0]
    assert r.at == len(weights)
    histories = [[[] for _ in a["dilations"]] for a in config]
    outputs = []
    for sample in x:
        condition = np.array([sample])
        value, head_sum = condition, None
        for number, (a, rechannel, layers, head, bias) in enumerate(arrays):
            value = rechannel @ value
            for layer, (kernel, b, mixin, out, out_bias) in enumerate(layers):
                history = histories[number][layer]
                history.append(value)
                z = b + mixin @ condition
                for tap in range(a["kernel_size"]):
                    at = len(history) - 1 - (a["kernel_size"] - 1 - tap) * a["dilations"][layer]
                    if at >= 0:
                        z = z + kernel[:, :, tap] @ history[at]
                c = a["channels"]
                act = ACTIVATIONS[a["activation"]](z[:c])
                if a["gated"]:
                    act = act / (1 + np.exp(-z[c:]))
                head_sum = act if head_sum is None else head_sum + act
                value = value + out @ act + out_bias
            head_sum = head @ head_sum + bias
        outputs.append(scale * head_sum[0])
    return outputs


def sigmoid(z):
    return 1 / (1 + np.exp(-z))


def run_lstm(config, weights, x):
    r = Reader(weights)
    units, layers = config["hidden_size"], []
    for number in range(config["num_layers"]):
        inputs = config["input_size"] if number == 0 else units
        layers.append([r.take(4 * units, inputs + units), r.take(4 * units), r.take(units), r.take(units)])
    head, bias = r.take(units), r.take(1)[0]
    assert r.at == len(weights)
    outputs = []
    for sample in x:
        value = np.array([sample])
        for layer in layers:
            matrix, b, h, c = layer
            i, f, g, o = np.split(matrix @ np.concatenate([value, h]) + b, 4)
            layer[3] = sigmoid(f) * c + sigmoid(i) * np.tanh(g)
            layer[2] = value = sigmoid(o) * np.tanh(layer[3])
        outputs.append(head @ value + bias)
    return outputs


def count_lstm(config):
    units, total = config["hidden_size"], config["hidden_size"] + 1
    for number in range(config["num_layers"]):
        inputs = config["input_size"] if number == 0 else units
        total += 4 * units * (inputs + units) + 4 * units + 2 * units
    return total


def run_linear(config, weights, x):
    taps, bias = weights[: config["receptive_field"]], weights[-1]
    return [bias + sum(tap * x[t - i] for i, tap in enumerate(taps) if t >= i) for t in range(len(x))]


def numbers(values):
    return [float(f"{v:.9g}") for v in values]


def main():
    random = np.random.default_rng(7)
    cases = []

    def add(name, architecture, config, size, steps, compute):
        weights = np.float32(random.normal(0, 0.3, size))
        if architecture == "WaveNet":
            weights[-1] = 0.02
        x = np.float32(random.uniform(-0.5, 0.5, steps))
        y = compute(np.float64(weights), np.float64(x))
        file = {
            "version": "0.5.4",
            "metadata": {"name": name, "loudness": -18.5},
            "architecture": architecture,
            "config": config,
            "weights": numbers(weights),
            "sample_rate": 48000,
        }
        cases.append({"name": name, "file": file, "x": numbers(x), "y": numbers(y)})

    for name, config in SHAPES.items():
        whole = {"layers": config, "head": None, "head_scale": 0.02}
        # Steps enough for the longest dilation in one of them.
        steps = 1200 if name == "nano" else 48
        add(name, "WaveNet", whole, count(config), steps, lambda w, x, config=config: run(config, w, x))
    for layers, units in [(1, 3), (2, 5)]:
        config = {"input_size": 1, "hidden_size": units, "num_layers": layers}
        name = f"lstm {layers}x{units}"
        add(name, "LSTM", config, count_lstm(config), 32, lambda w, x, config=config: run_lstm(config, w, x))
    config = {"receptive_field": 5, "bias": True}
    add("linear", "Linear", config, 6, 16, lambda w, x: run_linear(config, w, x))
    path = os.path.join(os.path.dirname(__file__), "nam.json")
    with open(path, "w") as out:
        json.dump({"numpy": np.__version__, "cases": cases}, out)
        out.write("\n")


main()
