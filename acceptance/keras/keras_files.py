"""Loads .keras archives by the rules of Keras 3 and computes them in float64, with h5py and numpy alone.

A model is made of config.json as keras.saving.load_model does, each object's variables are looked up in
model.weights.h5 by the walk of saving_lib.py (lists by class name, attributes sorted, `vars/0`...), and a missing or
a superfluous variable is an error. Layers that the random models of tapeloop do not have are not here.
"""
import io
import json
import re
import zipfile

import h5py
import numpy as np


def snake(name):
    name = re.sub(r"\W+", "", name)
    name = re.sub("(.)([A-Z][a-z]+)", r"\1_\2", name)
    return re.sub("([a-z])([A-Z])", r"\1_\2", name).lower()


def sigmoid(x):
    return 1 / (1 + np.exp(-x))


def softmax(x):
    e = np.exp(x - x.max(-1, keepdims=True))
    return e / e.sum(-1, keepdims=True)


ACTIVATIONS = {
    "linear": lambda x: x,
    "tanh": np.tanh,
    "sigmoid": sigmoid,
    "relu": lambda x: np.maximum(x, 0),
    "softmax": softmax,
    "hard_sigmoid": lambda x: np.clip(x / 6 + 0.5, 0, 1),
    "elu": lambda x: np.where(x > 0, x, np.exp(np.minimum(x, 0)) - 1),
    "softplus": lambda x: np.log1p(np.exp(x)),
    "softsign": lambda x: x / (1 + np.abs(x)),
    "silu": lambda x: x * sigmoid(x),
    "gelu": None,
}


def activation(name):
    found = ACTIVATIONS[name or "linear"]
    if found is None:
        raise KeyError(name)
    return found


class Layer:
    """A layer: `children` are attributes with objects or lists of objects, `weights` its own variables."""

    def __init__(self, class_name, config):
        self.class_name = class_name
        self.config = config
        self.children = {}
        self.weights = []


def listed(layers):
    used = {}
    for layer in layers:
        name = snake(layer.class_name)
        count = used.get(name, 0)
        used[name] = count + 1
        yield (name if count == 0 else f"{name}_{count}"), layer


def make(spec):
    name, config = spec["class_name"], spec["config"]
    if spec.get("registered_name") not in (None, name):
        raise ValueError(f"registered_name {spec['registered_name']!r} of {name}")
    if not str(spec.get("module", "")).startswith("keras"):
        raise ValueError(f"module {spec.get('module')!r} of {name}")
    layer = Layer(name, config)
    if name in ("LSTM", "GRU", "SimpleRNN"):
        layer.children["cell"] = Layer(name + "Cell", config)
    elif name == "RNN":
        layer.children["cell"] = make(config["cell"])
    elif name == "StackedRNNCells":
        layer.children["cells"] = [make(cell) for cell in config["cells"]]
    elif name == "TimeDistributed":
        layer.children["layer"] = make(config["layer"])
    elif name == "Bidirectional":
        forward = make(config["layer"])
        backward = config.get("backward_layer")
        if backward is None:
            inner = dict(config["layer"], config=dict(config["layer"]["config"]))
            inner["config"]["go_backwards"] = not inner["config"].get("go_backwards", False)
            backward = inner
        layer.children["backward_layer"] = make(backward)
        layer.children["forward_layer"] = forward
    elif name == "Sequential":
        layers = [make(each) for each in config["layers"]]
        # The input layer is not among `layers` of a Sequential model.
        layer.children["layers"] = [each for each in layers if each.class_name != "InputLayer"]
    elif name == "Functional":
        specs = {each["name"]: each for each in config["layers"]}
        made = {key: make(each) for key, each in specs.items()}
        for key, each in made.items():
            each.name = key
        layer.specs, layer.made = specs, made
        layer.children["layers"] = [made[key] for key in keras_order(config, specs)]
    return layer


def history(tensor):
    return tuple(tensor["config"]["keras_history"])


def flat(value):
    if isinstance(value, dict):
        if value.get("class_name") == "__keras_tensor__":
            return [value]
        return [x for key in sorted(value) for x in flat(value[key])]
    if isinstance(value, (list, tuple)):
        return [x for each in value for x in flat(each)]
    return []


def ends(value):
    if isinstance(value, dict):
        return [tuple(value[key]) for key in value]
    if isinstance(value[0], str):
        return [tuple(value)]
    return [tuple(each) for each in value]


def keras_order(config, specs):
    """map_graph of keras/src/ops/function.py."""
    indices, order, done = {}, [], set()

    def parents(node):
        inbound = specs[node[0]]["inbound_nodes"]
        if not inbound:
            return []
        call = inbound[node[1]]
        return [history(t)[:2] for t in flat([call["args"], call["kwargs"]])]

    def walk(node):
        if node in done:
            return
        indices.setdefault(node[0], len(indices))
        for parent in parents(node):
            walk(parent)
        done.add(node)
        order.append(node)

    for end in ends(config["output_layers"]):
        walk(end[:2])
    depths, operation_depths = {}, {}
    for node in reversed(order):
        depth = max(depths.setdefault(node, 0), operation_depths.get(node[0], 0))
        operation_depths[node[0]] = depths[node] = depth
        for parent in parents(node):
            depths[parent] = max(depth + 1, depths.get(parent, 0))
    for name in (end[0] for end in ends(config["input_layers"])):
        operation_depths.setdefault(name, 0)
        indices.setdefault(name, -1)
    return sorted(operation_depths, key=lambda name: (-operation_depths[name], indices[name]))


def load(layer, root, path, taken):
    """Takes the variables of a layer and of its children; `taken` collects the groups that were read."""
    group = root
    for part in [*[p for p in path.split("/") if p], "vars"]:
        if part not in group:
            group = {}
            break
        group = group[part]
    if len(group):
        if sorted(group, key=int) != [str(i) for i in range(len(group))]:
            raise ValueError(f"{path}: variables are not numbered from 0")
        layer.weights = [np.asarray(group[str(i)], "f8") for i in range(len(group))]
        taken.add(f"{path}/vars".lstrip("/"))
    for attribute, child in layer.children.items():
        at = f"{path}/{attribute}" if path else attribute
        if isinstance(child, list):
            for name, each in listed(child):
                load(each, root, f"{at}/{name}", taken)
        else:
            load(child, root, at, taken)


def read(path_or_bytes):
    data = path_or_bytes if isinstance(path_or_bytes, bytes) else open(path_or_bytes, "rb").read()
    archive = zipfile.ZipFile(io.BytesIO(data))
    if archive.namelist()[:3] != ["metadata.json", "config.json", "model.weights.h5"]:
        raise ValueError(f"files {archive.namelist()}")
    json.loads(archive.read("metadata.json"))["keras_version"]
    spec = json.loads(archive.read("config.json"))
    model = make(spec)
    with h5py.File(io.BytesIO(archive.read("model.weights.h5")), "r") as root:
        taken = set()
        load(model, root, "", taken)
        unread = []

        def visit(name, node):
            if isinstance(node, h5py.Dataset):
                group = name.rsplit("/", 1)[0]
                if group not in taken and group != "optimizer/vars":
                    unread.append(name)

        root.visititems(visit)
        if unread:
            raise ValueError(f"no layer takes {unread}")
        state = root.get("optimizer/vars")
        model.optimizer = [np.asarray(state[str(i)]) for i in range(len(state))] if state else []
    model.compile_config = spec.get("compile_config")
    return model


def expect(weights, *shapes):
    got = [w.shape for w in weights]
    if len(got) != len(shapes) or any(s is not None and tuple(s) != g for s, g in zip(shapes, got)):
        raise ValueError(f"variables {got}, expected {shapes}")
    return weights


def cell_step(cell, x, states):
    """One step of a cell: the output and the next states."""
    c, kind = cell.config, cell.class_name
    if kind == "StackedRNNCells":
        following = []
        at = 0
        for each in cell.children["cells"]:
            count = 2 if each.class_name == "LSTMCell" else 1
            x, next_states = cell_step(each, x, states[at : at + count])
            following += next_states
            at += count
        return x, following
    units, bias = c["units"], c.get("use_bias", True)
    act = activation(c["activation"])
    if kind == "SimpleRNNCell":
        w = expect(cell.weights, (x.shape[-1], units), (units, units), *([(units,)] if bias else []))
        h = act(x @ w[0] + states[0] @ w[1] + (w[2] if bias else 0))
        return h, [h]
    inner = activation(c["recurrent_activation"])
    if kind == "LSTMCell":
        w = expect(cell.weights, (x.shape[-1], 4 * units), (units, 4 * units), *([(4 * units,)] if bias else []))
        z = x @ w[0] + states[0] @ w[1] + (w[2] if bias else 0)
        i, f, g, o = np.split(z, 4, -1)
        memory = inner(f) * states[1] + inner(i) * act(g)
        h = inner(o) * act(memory)
        return h, [h, memory]
    after = c.get("reset_after", True)
    shape = (2, 3 * units) if after else (3 * units,)
    w = expect(cell.weights, (x.shape[-1], 3 * units), (units, 3 * units), *([shape] if bias else []))
    first, second = (w[2] if after else (w[2], 0)) if bias else (0, 0)
    h = states[0]
    a = x @ w[0] + first
    if after:
        b = h @ w[1] + second
        z, r = inner(a[:, : 2 * units] + b[:, : 2 * units]).reshape(-1, 2, units).transpose(1, 0, 2)
        g = act(a[:, 2 * units :] + r * b[:, 2 * units :])
    else:
        b = h @ w[1][:, : 2 * units]
        z, r = inner(a[:, : 2 * units] + b).reshape(-1, 2, units).transpose(1, 0, 2)
        g = act(a[:, 2 * units :] + (r * h) @ w[1][:, 2 * units :])
    h = z * h + (1 - z) * g
    return h, [h]


def state_sizes(cell):
    if cell.class_name == "StackedRNNCells":
        return [size for each in cell.children["cells"] for size in state_sizes(each)]
    units = cell.config["units"]
    return [units, units] if cell.class_name == "LSTMCell" else [units]


def recurrent(layer, x):
    c, cell = layer.config, layer.children["cell"]
    states = [np.zeros((len(x), size)) for size in state_sizes(cell)]
    steps = range(x.shape[1])
    outputs = []
    for t in reversed(steps) if c.get("go_backwards") else steps:
        y, states = cell_step(cell, x[:, t], states)
        outputs.append(y)
    return np.stack(outputs, 1) if c.get("return_sequences") else outputs[-1]


def pooled(x, size, stride, reduce):
    size, stride = int(np.ravel(size)[0]), int(np.ravel(stride if stride is not None else size)[0])
    return np.stack([reduce(x[:, at : at + size], 1) for at in range(0, x.shape[1] - size + 1, stride)], 1)


def conv1d(layer, x):
    c = layer.config
    size, stride, dilation = (int(np.ravel(c[k])[0]) for k in ("kernel_size", "strides", "dilation_rate"))
    bias = c.get("use_bias", True)
    w = expect(layer.weights, (size, x.shape[-1] // c.get("groups", 1), c["filters"]), *([(c["filters"],)] if bias else []))
    span = (size - 1) * dilation + 1
    length = x.shape[1]
    if c["padding"] == "causal":
        x = np.pad(x, ((0, 0), (span - 1, 0), (0, 0)))
    elif c["padding"] == "same":
        total = max((-(-length // stride) - 1) * stride + span - length, 0)
        x = np.pad(x, ((0, 0), (total // 2, total - total // 2), (0, 0)))
    if c.get("groups", 1) != 1:
        raise KeyError("groups")
    out = [
        sum(x[:, at + k * dilation] @ w[0][k] for k in range(size)) for at in range(0, x.shape[1] - span + 1, stride)
    ]
    return activation(c["activation"])(np.stack(out, 1) + (w[1] if bias else 0))


def call(layer, x):
    name, c, w = layer.class_name, layer.config, layer.weights
    if name in ("Dropout", "SpatialDropout1D", "InputLayer", "GaussianNoise", "GaussianDropout", "AlphaDropout"):
        return x
    if name in ("LSTM", "GRU", "SimpleRNN", "RNN"):
        return recurrent(layer, x)
    if name == "Dense":
        bias = c.get("use_bias", True)
        expect(w, (x.shape[-1], c["units"]), *([(c["units"],)] if bias else []))
        return activation(c["activation"])(x @ w[0] + (w[1] if bias else 0))
    if name == "Bidirectional":
        forward, backward = layer.children["forward_layer"], layer.children["backward_layer"]
        a, b = call(forward, x), call(backward, x)
        if b.ndim == 3:
            b = b[:, ::-1]
        mode = c["merge_mode"]
        return {"concat": lambda: np.concatenate([a, b], -1), "sum": lambda: a + b, "mul": lambda: a * b, "ave": lambda: (a + b) / 2}[mode]()
    if name == "TimeDistributed":
        y = call(layer.children["layer"], x.reshape(-1, *x.shape[2:]))
        return y.reshape(*x.shape[:2], *y.shape[1:])
    if name == "Embedding":
        expect(w, (c["input_dim"], c["output_dim"]))
        return w[0][x.astype(int)]
    if name == "BatchNormalization":
        own = list(w)
        gamma = own.pop(0) if c["scale"] else 1
        beta = own.pop(0) if c["center"] else 0
        mean, variance = expect(own, None, None)
        return (x - mean) / np.sqrt(variance + c["epsilon"]) * gamma + beta
    if name == "LayerNormalization":
        own = list(w)
        gamma = own.pop(0) if c["scale"] else 1
        beta = own.pop(0) if c["center"] else 0
        mean = x.mean(-1, keepdims=True)
        return (x - mean) / np.sqrt(((x - mean) ** 2).mean(-1, keepdims=True) + c["epsilon"]) * gamma + beta
    if name == "GroupNormalization":
        own = list(w)
        gamma = own.pop(0) if c["scale"] else 1
        beta = own.pop(0) if c["center"] else 0
        groups = x.shape[-1] if c["groups"] == -1 else c["groups"]
        parts = x.reshape(x.shape[0], -1, groups, x.shape[-1] // groups)
        mean = parts.mean((1, 3), keepdims=True)
        parts = (parts - mean) / np.sqrt(((parts - mean) ** 2).mean((1, 3), keepdims=True) + c["epsilon"])
        return parts.reshape(x.shape) * gamma + beta
    if name == "UnitNormalization":
        return x / np.sqrt(np.maximum((x * x).sum(c["axis"], keepdims=True), 1e-24))
    if name == "PReLU":
        return np.maximum(x, 0) + w[0] * np.minimum(x, 0)
    if name == "ReLU":
        y = np.where(x > c["threshold"], x, c["negative_slope"] * (x - c["threshold"]))
        return y if c["max_value"] is None else np.minimum(y, c["max_value"])
    if name == "Softmax":
        e = np.exp(x - x.max(c["axis"], keepdims=True))
        return e / e.sum(c["axis"], keepdims=True)
    if name == "Activation":
        return activation(c["activation"])(x)
    if name == "Conv1D":
        return conv1d(layer, x)
    if name == "MaxPooling1D":
        return pooled(x, c["pool_size"], c["strides"], np.max)
    if name == "AveragePooling1D":
        return pooled(x, c["pool_size"], c["strides"], np.mean)
    if name == "GlobalAveragePooling1D":
        return x.mean(1)
    if name == "GlobalMaxPooling1D":
        return x.max(1)
    if name == "Flatten":
        return x.reshape(len(x), -1)
    if name == "Reshape":
        return x.reshape(len(x), *c["target_shape"])
    if name == "Permute":
        return x.transpose(0, *c["dims"])
    if name == "RepeatVector":
        return np.repeat(x[:, None], c["n"], 1)
    if name == "Add":
        return sum(x)
    if name in ("Maximum", "Minimum"):
        return np.maximum(*x) if name == "Maximum" else np.minimum(*x)
    if name == "Dot":
        return (x[0] * x[1]).sum(-1, keepdims=True)
    if name == "Concatenate":
        return np.concatenate(x, c["axis"])
    if name == "Multiply":
        return np.prod(np.stack(x), 0)
    if name == "Sequential":
        for each in layer.children["layers"]:
            x = call(each, x)
        return x
    if name == "Functional":
        return functional(layer, x)
    raise KeyError(name)


def functional(layer, x):
    inputs = ends(layer.config["input_layers"])
    values = {end[:2]: each for end, each in zip(inputs, x if isinstance(x, list) else [x])}

    def value(node):
        if node not in values:
            inbound = layer.specs[node[0]]["inbound_nodes"][node[1]]
            given = [value(history(t)[:2]) for t in flat(inbound["args"])]
            is_list = isinstance(inbound["args"][0], list)
            values[node] = call(layer.made[node[0]], given if is_list else given[0])
        return values[node]

    outputs = [value(end[:2]) for end in ends(layer.config["output_layers"])]
    return outputs[0] if len(outputs) == 1 else outputs
