#!/usr/bin/env python3
"""Golden numbers of weighted and masked training: one epoch of Keras's fit on one batch, as weighting.json.

    KERAS_BACKEND=jax python3 test/golden/weighting.py && npm run format

Written for and run with Keras 3.15.1 on JAX 0.10.2. A model is Masking, where it is asked for, and Dense. Options are stored in
tapeloop's words. Metrics of masked cases are those of evaluate before the epoch: in fit on JAX predictions have lost their mask
when metrics see them.
"""

import json
import os

import keras
import numpy as np

N, T, F, C = 4, 3, 2, 3
RATE = 0.5
rng = np.random.default_rng(7)


def values(*shape):
    return np.round(rng.standard_normal(shape), 3).astype("float32")


def weights(*shape):
    return np.round(rng.uniform(0, 2, shape), 2).astype("float32")


def ids(*shape):
    return rng.integers(0, C, shape).astype("int32")


STEPS = values(N, T, F)
PADDED = STEPS.copy()
for row, length in enumerate([3, 1, 2, 3]):
    PADDED[row, length:] = 0
ROWS = values(N, F)
ONE_HOT = np.eye(C, dtype="float32")[ids(N)]
NAMES = {
    "mean_squared_error": "meanSquaredError",
    "mean_absolute_error": "meanAbsoluteError",
    "sparse_categorical_crossentropy": "sparseCategoricalCrossentropy",
    "categorical_crossentropy": "categoricalCrossentropy",
    "binary_crossentropy": "binaryCrossentropy",
    "mae": "meanAbsoluteError",
    "sparse_categorical_accuracy": "sparseCategoricalAccuracy",
    "root_mean_squared_error": "rootMeanSquaredError",
}


def renamed(name):
    weighted = "weighted_" if name.startswith("weighted_") else ""
    name = name.removeprefix("weighted_")
    return weighted + NAMES.get(name, name)


# Named, for Keras numbers those that have only the name of their class.
METRICS = {
    "precision": lambda: keras.metrics.Precision(name="precision"),
    "recall": lambda: keras.metrics.Recall(name="recall"),
    "auc": lambda: keras.metrics.AUC(name="auc"),
    "root_mean_squared_error": lambda: keras.metrics.RootMeanSquaredError(name="root_mean_squared_error"),
}


def measure(name):
    return METRICS[name]() if name in METRICS else name


def case(name, x, y, loss, units=C, activation="linear", metrics=(), weighted=(), loss_weights=None, **weighing):
    masked = x is PADDED
    listed = {key: value if isinstance(value, dict) else value.tolist() for key, value in weighing.items()}
    layers = [keras.layers.Input(x.shape[1:])]
    if masked:
        layers.append(keras.layers.Masking())
    model = keras.Sequential(layers + [keras.layers.Dense(units, activation=activation)])
    kernel, bias = values(F, units), values(units)
    model.layers[-1].set_weights([kernel, bias])
    measured = {"metrics": [measure(each) for each in metrics]}
    measured["weighted_metrics"] = [measure(each) for each in weighted]
    model.compile(optimizer=keras.optimizers.SGD(RATE), loss=loss, loss_weights=loss_weights, **measured)
    if x.ndim == 3 and np.ndim(weighing.get("sample_weight")) == 1:
        # Keras on JAX wants the axis of steps to broadcast to.
        weighing = {"sample_weight": weighing["sample_weight"][:, None]}
    evaluated = model.evaluate(x, y, batch_size=len(x), verbose=0, return_dict=True, **weighing) if masked else {}
    history = model.fit(x, y, epochs=1, batch_size=len(x), shuffle=False, verbose=0, **weighing).history
    after = model.layers[-1].get_weights()
    return {
        "name": name,
        "masked": masked,
        "units": units,
        "activation": activation,
        "loss": NAMES[loss],
        "lossWeights": loss_weights,
        "metrics": [renamed(metric) for metric in metrics],
        "weightedMetrics": [renamed(metric) for metric in weighted],
        "x": x.tolist(),
        "y": y.tolist(),
        "sampleWeight": listed.get("sample_weight"),
        "classWeight": listed.get("class_weight"),
        "kernel": kernel.tolist(),
        "bias": bias.tolist(),
        "logs": {renamed(key): evaluated.get(key, value[0]) for key, value in history.items()},
        "after": [each.tolist() for each in after],
    }


def main():
    mse, sparse = "mean_squared_error", "sparse_categorical_crossentropy"
    classes = {0: 0.5, 2: 3.0, 1: 1.0}
    cases = [
        case("weights of samples", ROWS, values(N, C), mse, metrics=["mae"], sample_weight=weights(N)),
        case("weights of samples of several steps", STEPS, values(N, T, C), mse, sample_weight=weights(N)),
        case("weights of steps", STEPS, values(N, T, C), "mean_absolute_error", sample_weight=weights(N, T)),
        case("weights of samples, classes", ROWS, ids(N), sparse, activation="softmax", sample_weight=weights(N)),
        case("weights of classes by id", ROWS, ids(N), sparse, activation="softmax", class_weight=classes),
        case("weights of classes, one-hot", ROWS, ONE_HOT, "categorical_crossentropy", activation="softmax", class_weight=classes),
        case(
            "weights of two classes",
            *(ROWS, np.array([[0], [1], [1], [0]], dtype="float32"), "binary_crossentropy"),
            **{"units": 1, "activation": "sigmoid", "class_weight": {0: 2.0, 1: 0.25}},
        ),
        case("a mask", PADDED, values(N, T, C), mse),
        case("a mask, classes", PADDED, ids(N, T), sparse, activation="softmax"),
        case("a mask and weights of steps", PADDED, values(N, T, C), mse, sample_weight=weights(N, T)),
        case("a mask and weights of samples", PADDED, ids(N, T), sparse, activation="softmax", sample_weight=weights(N)),
    ]
    cases += [
        case(
            "weights of samples, in weighted metrics alone",
            *(ROWS, values(N, C), mse),
            **{"metrics": ["mae"], "weighted": ["mae", "root_mean_squared_error"], "sample_weight": weights(N)},
        ),
        case("no weights, in weighted metrics", ROWS, values(N, C), mse, metrics=["mae"], weighted=["mae", mse]),
        case("weights of steps, in weighted metrics", STEPS, values(N, T, C), mse, weighted=["mae"], sample_weight=weights(N, T)),
        case(
            "weights of samples of several steps, in weighted metrics",
            *(STEPS, ids(N, T), sparse),
            **{"activation": "softmax", "weighted": ["accuracy", sparse], "sample_weight": weights(N)},
        ),
        case(
            "weights of classes, in weighted metrics",
            *(ROWS, ids(N), sparse),
            **{"activation": "softmax", "metrics": ["accuracy"], "weighted": ["accuracy"], "class_weight": classes},
        ),
        case(
            "weights of two classes, in weighted metrics",
            *(ROWS, np.array([[0], [1], [1], [0]], dtype="float32"), "binary_crossentropy"),
            **{"units": 1, "activation": "sigmoid", "class_weight": {0: 2.0, 1: 0.25}},
            **{"metrics": ["precision"], "weighted": ["precision", "recall", "auc"]},
        ),
        case("a mask, in metrics", PADDED, values(N, T, C), mse, metrics=["mae"], weighted=["mae"]),
        case(
            "a mask and weights of steps, in weighted metrics",
            *(PADDED, values(N, T, C), mse),
            **{"metrics": ["mae"], "weighted": ["mae"], "sample_weight": weights(N, T)},
        ),
        case(
            "a mask and weights of samples, in weighted metrics",
            *(PADDED, ids(N, T), sparse),
            **{"activation": "softmax", "metrics": ["accuracy"], "weighted": ["accuracy"], "sample_weight": weights(N)},
        ),
        case("the weight of the one loss", ROWS, values(N, C), mse, loss_weights=0.25),
        case(
            "the weight of the one loss in a list, and weights of samples",
            *(ROWS, values(N, C), mse),
            **{"metrics": ["mae"], "loss_weights": [3.0], "sample_weight": weights(N)},
        ),
    ]
    path = os.path.join(os.path.dirname(os.path.abspath(__file__)), "weighting.json")
    with open(path, "w") as out:
        json.dump({"keras": keras.__version__, "rate": RATE, "cases": cases}, out)


if __name__ == "__main__":
    main()
