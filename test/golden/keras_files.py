"""Small files of every form in which Keras has saved models, made with h5py, with their outputs.

    /usr/bin/python3 test/golden/keras_files.py

h5py 3.7, numpy 1.24. The outputs are those of acceptance/keras/keras_files.py, in float64. It is a program of its own:
Keras is in neither.
"""
import base64
import io
import json
import pathlib
import sys
import zipfile

import h5py
import numpy as np

here = pathlib.Path(__file__).parent
sys.path.insert(0, str(here / "../../acceptance/keras"))
import keras_files as reference  # noqa: E402

random = np.random.default_rng(17)
cases = []


def weight(*shape):
    return random.uniform(-1, 1, shape).astype("f4")


def hdf5(write, **options):
    memory = io.BytesIO()
    with h5py.File(memory, "w", **options) as root:
        write(root)
    return memory.getvalue()


def layer(class_name, weights=(), **config):
    made = reference.Layer(class_name, config)
    made.weights = [np.asarray(w, "f8") for w in weights]
    return made


def recurrent(class_name, weights, **config):
    made = layer(class_name, **config)
    made.children["cell"] = layer(class_name + "Cell", weights, **config)
    return made


def run(layers, x):
    for each in layers:
        x = reference.call(each, x)
    return x


def case(name, data, x, y, **more):
    text = base64.b64encode(data).decode()
    values = {"shape": list(y.shape), "data": np.asarray(y, "f4").ravel().tolist()}
    given = {"shape": list(x.shape), "data": np.asarray(x, "f4").ravel().tolist()}
    cases.append({"name": name, "file": text, "x": given, "y": values, **more})


def groups(root, layers, names=None, split=False):
    """The layout of Keras 1 and 2: `layers` has, for each layer, its name and its weights by name."""
    listed = np.array([n.encode() for n, _ in layers])
    if split:
        for i, part in enumerate(np.array_split(listed, 2)):
            root.attrs[f"layer_names{i}"] = part
    else:
        root.attrs["layer_names"] = listed
    for name, weights in layers:
        group = root.create_group(name)
        group.attrs["weight_names"] = [w.encode() for w in weights]
        for key, value in weights.items():
            group.create_dataset(key, data=value)


# Keras 1: weights alone, an array for each gate, hard sigmoid 0.2 x + 0.5, the configuration beside it.
units, width = 3, 2
gates = {g: (weight(width, units), weight(units, units), weight(units)) for g in "icfo"}
dense = weight(units, 2), weight(2)
lstm_names = {f"lstm_1_{part}_{g}:0": gates[g][k] for g in "icfo" for k, part in enumerate("WUb")}
data = hdf5(lambda root: groups(root, [("lstm_1", lstm_names), ("dropout_1", {}), ("dense_1", {"dense_1_W:0": dense[0], "dense_1_b:0": dense[1]})]))
config = {
    "class_name": "Sequential",
    "keras_version": "1.1.1",
    "config": [
        {"class_name": "LSTM", "config": {"name": "lstm_1", "output_dim": units, "input_dim": width, "input_length": None,
         "batch_input_shape": [None, None, width], "activation": "tanh", "inner_activation": "hard_sigmoid", "init": "glorot_uniform",
         "inner_init": "orthogonal", "forget_bias_init": "one", "return_sequences": False, "go_backwards": False, "stateful": False,
         "unroll": False, "consume_less": "cpu", "dropout_W": 0.0, "dropout_U": 0.0, "trainable": True,
         "W_regularizer": None, "U_regularizer": None, "b_regularizer": None}},
        {"class_name": "Dropout", "config": {"name": "dropout_1", "p": 0.5, "trainable": True}},
        {"class_name": "Dense", "config": {"name": "dense_1", "output_dim": 2, "input_dim": None, "activation": "softmax", "bias": True,
         "init": "glorot_uniform", "trainable": True, "W_regularizer": None, "b_regularizer": None, "W_constraint": None,
         "b_constraint": None, "activity_regularizer": None}},
    ],
}
reference.ACTIVATIONS["hard_sigmoid_2"] = lambda v: np.clip(0.2 * v + 0.5, 0, 1)
joined = [np.concatenate([gates[g][k] for g in "ifco"], -1) for k in range(3)]
x = random.uniform(-1, 1, (2, 5, width))
chain = [recurrent("LSTM", joined, units=units, activation="tanh", recurrent_activation="hard_sigmoid_2"),
         layer("Dense", dense, units=2, activation="softmax")]
case("Keras 1, weights alone", data, x, run(chain, x), config=config)

# Keras 2: a whole model with its optimizer, long names in two attributes, gzip.
kernels = [weight(2, 12), weight(3, 12), weight(12)]
halves = [[weight(3, 6), weight(2, 6), weight(6)] for _ in range(2)]
out = [weight(4, 2), weight(2)]
plain = dict(activation="tanh", use_bias=True)
config = {
    "class_name": "Sequential",
    "config": {"name": "sequential_7", "layers": [
        {"class_name": "LSTM", "config": {"name": "lstm_4", "trainable": True, "batch_input_shape": [None, None, 2], "dtype": "float32",
         "return_sequences": True, "return_state": False, "go_backwards": False, "stateful": False, "unroll": False, "units": 3,
         "recurrent_activation": "hard_sigmoid", "unit_forget_bias": True, "implementation": 1, "dropout": 0.0, **plain}},
        {"class_name": "Bidirectional", "config": {"name": "bidirectional_2", "trainable": True, "merge_mode": "concat", "layer":
         {"class_name": "GRU", "config": {"name": "gru_9", "trainable": True, "units": 2, "reset_after": False, "return_sequences": False,
          "recurrent_activation": "sigmoid", **plain}}}},
        {"class_name": "Dense", "config": {"name": "dense_11", "trainable": True, "units": 2, "activation": "linear", "use_bias": True}},
    ]},
}
training = {"loss": "mse", "metrics": ["mae"], "optimizer_config": {"class_name": "Adam", "config": {"lr": 0.01, "beta_1": 0.9, "beta_2": 0.999, "decay": 0.0, "epsilon": 1e-7, "amsgrad": False}}}
moments = [weight(*w.shape) for w in [*kernels, *halves[0], *halves[1], *out]]
names = ["kernel", "recurrent_kernel", "bias"]


def keras2(root):
    root.attrs["keras_version"] = b"2.2.4"
    root.attrs["backend"] = b"tensorflow"
    root.attrs["model_config"] = json.dumps(config).encode()
    root.attrs["training_config"] = json.dumps(training).encode()
    group = root.create_group("model_weights")
    group.attrs["keras_version"] = b"2.2.4"
    both = {f"bidirectional_2/{way}_gru_9/{n}:0": w for way, half in zip(["forward", "backward"], halves) for n, w in zip(names, half)}
    groups(group, [("lstm_4", {f"lstm_4/{n}:0": w for n, w in zip(names, kernels)}), ("bidirectional_2", both),
                   ("dense_11", {"dense_11/kernel:0": out[0], "dense_11/bias:0": out[1]})], split=True)
    state = root.create_group("optimizer_weights")
    listed = [np.int64(42), *moments, *[m * m for m in moments], *[np.zeros(1, "f4") for _ in moments]]
    keys = ["Adam/iterations:0", *[f"training/Adam/Variable_{i}:0" for i in range(len(listed) - 1)]]
    state.attrs["weight_names"] = [k.encode() for k in keys]
    for key, value in zip(keys, listed):
        if np.shape(value) == (4, 2):
            state.create_dataset(key, data=value, chunks=(3, 2), compression="gzip", shuffle=True)
        else:
            state.create_dataset(key, data=value)


both = layer("Bidirectional", merge_mode="concat")
for way, half, back in (("forward_layer", halves[0], False), ("backward_layer", halves[1], True)):
    both.children[way] = recurrent("GRU", half, units=2, activation="tanh", recurrent_activation="sigmoid", reset_after=False, go_backwards=back)
chain = [recurrent("LSTM", kernels, units=3, activation="tanh", recurrent_activation="hard_sigmoid_2", return_sequences=True), both,
         layer("Dense", out, units=2, activation="linear")]
x = random.uniform(-1, 1, (2, 4, 2))
case("Keras 2, whole model", hdf5(keras2), x, run(chain, x), steps=42, moment=moments[-1].tolist(), optimizer="adam")

# CuDNN: kernels of each gate transposed, two biases.
i, h = 2, 3
blocks = [weight(h, i) for _ in range(4)], [weight(h, h) for _ in range(4)], weight(2, 4, h)
stored = [np.concatenate([b.reshape(i, h) for b in blocks[0]], 1), np.concatenate([b.T for b in blocks[1]], 1), blocks[2].ravel()]
data = hdf5(lambda root: (root.attrs.__setitem__("keras_version", b"2.1.5"), groups(root, [("rnn", {f"rnn/{n}:0": w for n, w in zip(names, stored)})])), libver="latest")
plainly = [np.concatenate([b.T for b in blocks[0]], 1), np.concatenate(blocks[1], 1), blocks[2].sum(0).ravel()]
x = random.uniform(-1, 1, (2, 4, i))
chain = [recurrent("LSTM", plainly, units=h, activation="tanh", recurrent_activation="sigmoid")]
config = {"class_name": "Sequential", "keras_version": "2.1.5", "config": [{"class_name": "CuDNNLSTM", "config": {"name": "rnn", "units": h, "batch_input_shape": [None, None, i], "return_sequences": False}}]}
case("CuDNN, weights alone, newest HDF5", data, x, run(chain, x), config=config)


# Keras 3: an archive, its groups with slashes or, from Windows, with backslashes.
def keras3(separator, root_name="layers"):
    specs, chain, tree = [], [], {}

    def add(spec_class, config, weights, path, made):
        specs.append({"module": "keras.layers", "class_name": spec_class, "config": config, "registered_name": None})
        chain.append(made)
        for key, value in weights.items():
            tree[separator.join([root_name, path, *([key] if key else [])])] = value

    specs.append({"module": "keras.layers", "class_name": "InputLayer", "registered_name": None,
                  "config": {"batch_shape": [None, 6, 2], "dtype": "float32", "name": "input_layer"}})
    for n in range(2):
        w = [weight(2 if n == 0 else 3, 9), weight(3, 9), weight(2, 9)]
        c = {"name": f"gru_{n + 5}", "units": 3, "return_sequences": True, "reset_after": True, "recurrent_activation": "sigmoid", **plain}
        add("GRU", c, {"": [], "cell": w}, "gru" if n == 0 else f"gru_{n}", recurrent("GRU", w, **c))
    w = [weight(3), weight(3), weight(3), weight(3) ** 2]
    c = {"name": "bn", "axis": -1, "momentum": 0.99, "epsilon": 0.001, "center": True, "scale": True}
    add("BatchNormalization", c, {"": w}, "batch_normalization", layer("BatchNormalization", w, **c))
    w = [weight(3, 2), weight(2)]
    c = {"name": "head", "units": 2, "activation": "sigmoid", "use_bias": True}
    add("Dense", c, {"": w}, "dense", layer("Dense", w, **c))
    trainable = [v for key, values in tree.items() for v in (values[:2] if "batch" in key else values)]
    slots = [weight(*v.shape) for v in trainable for _ in range(2)]
    tree["optimizer"] = [np.int64(7), np.float32(0.01), *slots]

    def write(root):
        root.create_group("vars")
        for path, values in tree.items():
            group = root.create_group(path).create_group("vars")
            for k, value in enumerate(values):
                group[str(k)] = value

    optimizer = {"module": "keras.optimizers", "class_name": "Adam", "config": {"name": "adam", "learning_rate": 0.01}, "registered_name": None}
    config = {"module": "keras", "class_name": "Sequential", "registered_name": None, "config": {"name": "s", "trainable": True, "layers": specs},
              "compile_config": {"optimizer": optimizer, "loss": "mse", "metrics": ["mae"]}}
    memory = io.BytesIO()
    with zipfile.ZipFile(memory, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, content in (("metadata.json", json.dumps({"keras_version": "3.8.0"})), ("config.json", json.dumps(config)), ("model.weights.h5", hdf5(write))):
            archive.writestr(zipfile.ZipInfo(name, (2026, 11, 30, 0, 0, 0)), content, zipfile.ZIP_DEFLATED)
    x = random.uniform(-1, 1, (2, 6, 2))
    return memory.getvalue(), x, run(chain, x), slots[-2].tolist()


for name, arguments in (("Keras 3, archive", ["/"]), ("Keras 2.15 on Windows, archive", ["\\"]), ("Keras 2.13, archive", ["/", "_layer_checkpoint_dependencies"])):
    data, x, y, moment = keras3(*arguments)
    case(name, data, x, y, steps=7, moment=moment, optimizer="adam")

(here / "keras-files.json").write_text(json.dumps({"generator": "test/golden/keras_files.py", "cases": cases}) + "\n")
print({c["name"]: len(c["file"]) for c in cases})
