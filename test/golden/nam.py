"""Writes nam.json: small WaveNets, LSTMs and a Linear model in the form of .nam files, with outputs in float64.

The formulas and the order of the weights are those of NeuralAmpModelerCore (NAM/wavenet/model.cpp,
NAM/convnet.cpp, NAM/lstm.cpp, NAM/dsp.cpp), told here once more: one loop over samples, histories that start as zeros, no prewarm. numpy only.

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

LEAKY = {"type": "LeakyReLU", "negative_slope": 0.01}


def film(shift=True):
    return {"active": True, "shift": shift, "groups": 1}


def newer(input_size, channels, head_size, dilations, **options):
    """An array in the options of newer files. Those that are not given are left out, as they have defaults."""
    made = array(input_size, channels, head_size, dilations, kernel_size=options.pop("kernel_size", 3))
    for name in ("kernel_sizes", "gating_mode", "head"):
        if name in options:
            for old in {"kernel_sizes": ["kernel_size"], "gating_mode": ["gated"], "head": ["head_size", "head_bias"]}[name]:
                del made[old]
    return {**made, **options}


# The second architecture of the trainer: kernels of two sizes, leaky rectifiers, a head of 16 taps. Then each option.
SHAPES["a2"] = [
    newer(
        1, 3, 1, [1, 3, 7, 17, 1, 13],
        kernel_sizes=[6, 6, 6, 6, 15, 15],
        activation=LEAKY,
        head={"out_channels": 1, "kernel_size": 16, "bias": True},
    )
]
SHAPES["bottleneck, heads of layers"] = [
    newer(1, 4, 3, [1, 2], bottleneck=2, head1x1={"active": True, "out_channels": 3, "groups": 1}),
    newer(4, 3, 1, [1, 2], activation=["ReLU", LEAKY], head_bias=True),
]
SHAPES["blended, without residuals"] = [
    newer(1, 3, 1, [1, 4], gating_mode="blended", secondary_activation="Sigmoid", layer1x1={"active": False, "groups": 1})
]
SHAPES["another gate"] = [newer(1, 3, 1, [1, 4], gating_mode="gated", secondary_activation="Tanh", bottleneck=2)]
SHAPES["modulated"] = [
    newer(
        1, 3, 1, [1, 2],
        gated=True,
        bottleneck=2,
        head1x1={"active": True, "out_channels": 2, "groups": 1},
        conv_pre_film=film(),
        conv_post_film=film(False),
        input_mixin_pre_film=film(),
        input_mixin_post_film=film(False),
        activation_pre_film=film(),
        activation_post_film=film(False),
        head1x1_post_film=film(),
    )
]

ACTIVATIONS = {
    "Tanh": np.tanh,
    "ReLU": lambda z: np.maximum(z, 0),
    "Sigmoid": lambda z: 1 / (1 + np.exp(-z)),
    "LeakyReLU": lambda z: np.where(z > 0, z, 0.01 * z),
}
FILMS = [
    "conv_pre_film",
    "conv_post_film",
    "input_mixin_pre_film",
    "input_mixin_post_film",
    "activation_pre_film",
    "activation_post_film",
    "head1x1_post_film",
]


def activation(value, layer):
    value = value[layer] if isinstance(value, list) else value
    return ACTIVATIONS[value["type"] if isinstance(value, dict) else value]


def sizes(a):
    """Features of the activations, of the convolutions, and of the head."""
    features = a.get("bottleneck", a["channels"])
    is_gated = a.get("gated", False) or a.get("gating_mode", "none") != "none"
    head = a["head1x1"]["out_channels"] if "head1x1" in a else features
    return features, features * (2 if is_gated else 1), head


def widths(a):
    features, z, head = sizes(a)
    return dict(zip(FILMS, [a["channels"], z, a["condition_size"], z, z, features, head]))


def head_of(a):
    old = {"out_channels": a.get("head_size"), "kernel_size": 1, "bias": a.get("head_bias", False)}
    return a.get("head", old)


class Reader:
    """Gives weights out in turn. Without values it counts them."""

    def __init__(self, values=None):
        self.values, self.at = values, 0

    def take(self, *shape):
        n = int(np.prod(shape))
        taken = np.zeros(n) if self.values is None else self.values[self.at : self.at + n]
        self.at += n
        return taken.reshape(shape)


def read(config, r):
    arrays = []
    for a in config:
        c, (features, z, head) = a["channels"], sizes(a)
        rechannel = r.take(c, a["input_size"])
        layers = []
        for number in range(len(a["dilations"])):
            k = a["kernel_sizes"][number] if "kernel_sizes" in a else a["kernel_size"]
            layer = {"conv": (r.take(z, c, k), r.take(z)), "mixin": r.take(z, a["condition_size"])}
            if a.get("layer1x1", {"active": True})["active"]:
                layer["out"] = r.take(c, features), r.take(c)
            if "head1x1" in a:
                layer["head"] = r.take(head, features), r.take(head)
            for name in FILMS:
                if name in a:
                    n = widths(a)[name] * (2 if a[name]["shift"] else 1)
                    layer[name] = r.take(n, a["condition_size"]), r.take(n)
            layers.append(layer)
        own = head_of(a)
        kernel = r.take(own["out_channels"], head, own["kernel_size"])
        arrays.append((a, rechannel, layers, kernel, r.take(own["out_channels"]) if own["bias"] else 0))
    return arrays, r.take(1)[0]


def count(config):
    r = Reader()
    read(config, r)
    return r.at


def convolve(history, value, kernel, dilation):
    """The value of a causal convolution at the newest step."""
    history.append(value)
    taps = kernel.shape[2]
    total = 0
    for tap in range(taps):
        at = len(history) - 1 - (taps - 1 - tap) * dilation
        if at >= 0:
            total = total + kernel[:, :, tap] @ history[at]
    return total


def run(config, weights, x):
    r = Reader(weights)
    arrays, scale = read(config, r)
    assert r.at == len(weights)
    histories = [[[] for _ in a["dilations"]] + [[]] for a in config]
    outputs = []
    for sample in x:
        condition = np.array([sample])
        value, head_sum = condition, None
        for number, (a, rechannel, layers, head, bias) in enumerate(arrays):
            features, z_size, _ = sizes(a)
            value = rechannel @ value
            for at, layer in enumerate(layers):

                def modulate(name, given):
                    if name not in layer:
                        return given
                    by = layer[name][0] @ condition + layer[name][1]
                    n = len(given)
                    return given * by[:n] + (by[n:] if a[name]["shift"] else 0)

                kernel, b = layer["conv"]
                z = convolve(histories[number][at], modulate("conv_pre_film", value), kernel, a["dilations"][at]) + b
                z = modulate("conv_post_film", z)
                mixed = layer["mixin"] @ modulate("input_mixin_pre_film", condition)
                z = modulate("activation_pre_film", z + modulate("input_mixin_post_film", mixed))
                act = activation(a["activation"], at)(z[:features])
                if z_size > features:
                    gate = activation(a.get("secondary_activation", "Sigmoid"), at)(z[features:])
                    is_blend = a.get("gating_mode") == "blended"
                    act = gate * act + (1 - gate) * z[:features] if is_blend else act * gate
                act = modulate("activation_post_film", act)
                to_head = act
                if "head" in layer:
                    to_head = modulate("head1x1_post_film", layer["head"][0] @ act + layer["head"][1])
                head_sum = to_head if head_sum is None else head_sum + to_head
                if "out" in layer:
                    value = value + layer["out"][0] @ act + layer["out"][1]
            head_sum = convolve(histories[number][-1], head_sum, head, 1) + bias
        outputs.append(scale * head_sum[0])
    return outputs


def read_convnet(config, r):
    c, blocks = config["channels"], []
    for number in range(len(config["dilations"])):
        block = {"kernel": r.take(c, 1 if number == 0 else c, 2)}
        if config["batchnorm"]:
            block["norm"] = [r.take(c) for _ in range(4)] + [r.take(1)[0]]
        else:
            block["bias"] = r.take(c)
        blocks.append(block)
    return blocks, r.take(c), r.take(1)[0]


def run_convnet(config, weights, x):
    r = Reader(weights)
    blocks, head, bias = read_convnet(config, r)
    assert r.at == len(weights)
    histories, outputs = [[] for _ in blocks], []
    for sample in x:
        value = np.array([sample])
        for block, history, dilation in zip(blocks, histories, config["dilations"]):
            value = convolve(history, value, block["kernel"], dilation) + block.get("bias", 0)
            if "norm" in block:
                mean, variance, gamma, beta, epsilon = block["norm"]
                value = (value - mean) / np.sqrt(variance + epsilon) * gamma + beta
            value = activation(config["activation"], 0)(value)
        outputs.append(head @ value + bias)
    return outputs


def prepare(config, weights):
    """Makes variances positive, and each epsilon 1e-5."""
    r, c = Reader(weights), config["channels"]
    for number in range(len(config["dilations"])):
        r.take(c, 1 if number == 0 else c, 2)
        if not config["batchnorm"]:
            return
        r.take(c)
        variance = r.take(c)
        variance[:] = np.abs(variance) + 0.5
        r.take(2, c)
        r.take(1)[0] = 1e-5


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
        if architecture == "ConvNet":
            prepare(config, weights)
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
    for batchnorm in True, False:
        config = {"channels": 3, "dilations": [1, 2, 4], "batchnorm": batchnorm, "activation": "Tanh"}
        r = Reader()
        read_convnet(config, r)
        name = "convnet, normalized" if batchnorm else "convnet"
        add(name, "ConvNet", config, r.at, 32, lambda w, x, config=config: run_convnet(config, w, x))
    path = os.path.join(os.path.dirname(__file__), "nam.json")
    with open(path, "w") as out:
        json.dump({"numpy": np.__version__, "cases": cases}, out)
        out.write("\n")


main()
