#!/usr/bin/env python3
"""Golden decisions of callbacks: what Keras's own do on series of logs, as callbacks.json.

    KERAS_BACKEND=jax python3 test/golden/callbacks.py && npm run format

Written for and run with Keras 3.15.1. Options are stored in tapeloop's words. Series are short and coarse, so that ties and
changes of exactly min_delta occur.
"""

import json
import os
import random
import tempfile

import keras

EPOCHS = 12
WORDS = {
    "min_delta": "minDelta",
    "restore_best_weights": "restoreBestWeights",
    "start_from_epoch": "startFromEpoch",
    "min_lr": "minLr",
    "save_best_only": "saveBestOnly",
    "save_freq": "saveFreq",
    "initial_value_threshold": "initialValueThreshold",
}


class Optimizer:
    learning_rate = 1.0


class Model:
    """As much of a model as callbacks ask for. Its only weight is the number of the epoch."""

    def __init__(self):
        self.stop_training = False
        self.optimizer = Optimizer()
        self.weights = None
        self.saved = []

    def get_weights(self):
        return self.weights

    def set_weights(self, weights):
        self.weights = weights

    def save(self, path, overwrite):
        self.saved.append(path)


def words(options):
    return {WORDS.get(key, key): value for key, value in options.items()}


def series(rng):
    level = 1.0
    values = []
    for _ in range(EPOCHS):
        level += rng.choice([-0.25, -0.25, -0.125, 0, 0, 0.125, 0.25])
        values.append(level)
    return values


def run(callback, values):
    """Runs the epochs; gives the model and the logs of each."""
    model = Model()
    callback.set_model(model)
    callback.on_train_begin()
    seen = []
    for epoch, value in enumerate(values):
        callback.on_epoch_begin(epoch)
        model.weights = epoch
        logs = {"loss": 2 * value, "val_loss": value}
        callback.on_epoch_end(epoch, logs)
        seen.append(logs)
        if model.stop_training:
            break
    callback.on_train_end()
    return model, seen


def early_stopping(rng):
    options = {"patience": rng.choice([0, 1, 2, 3]), "restore_best_weights": rng.random() < 0.6}
    if rng.random() < 0.5:
        options["min_delta"] = rng.choice([0.125, 0.25, -0.125])
    if rng.random() < 0.3:
        options["mode"] = "max"
    if rng.random() < 0.3:
        options["baseline"] = rng.choice([0.5, 0.75, 1.25])
    if rng.random() < 0.3:
        options["start_from_epoch"] = rng.choice([1, 3])
    if rng.random() < 0.2:
        options["monitor"] = "loss"
    values = series(rng)
    model, seen = run(keras.callbacks.EarlyStopping(**options), values)
    return {"options": words(options), "values": values, "epochs": len(seen), "weight": model.weights}


def reduce_lr(rng):
    options = {"patience": rng.choice([1, 2, 3]), "factor": rng.choice([0.5, 0.25])}
    if rng.random() < 0.5:
        options["min_delta"] = rng.choice([0, 0.125])
    if rng.random() < 0.5:
        options["cooldown"] = rng.choice([1, 2])
    if rng.random() < 0.4:
        options["min_lr"] = 0.2
    if rng.random() < 0.3:
        options["mode"] = "max"
    values = series(rng)
    model, seen = run(keras.callbacks.ReduceLROnPlateau(**options), values)
    rates = [logs["learning_rate"] for logs in seen]
    return {"options": words(options), "values": values, "rates": rates, "last": model.optimizer.learning_rate}


def checkpoint(rng):
    options = {"save_best_only": rng.random() < 0.7}
    if rng.random() < 0.4:
        options["initial_value_threshold"] = rng.choice([0.5, 0.75])
    if rng.random() < 0.3:
        options["mode"] = "max"
    template = rng.choice(["{epoch:02d}-{val_loss:.2f}", "m{epoch}-{loss:.1e}", "{epoch:3d}_{loss:6.3f}_{val_loss:.1f}"])
    # Not halfway between two names: there Python rounds to even, JavaScript up.
    values = [round(value + 0.0013, 4) for value in series(rng)]
    model, _ = run(keras.callbacks.ModelCheckpoint(template + ".keras", **options), values)
    return {"options": words(options), "values": values, "template": template, "saved": [p[:-6] for p in model.saved]}


def checkpoint_by_batch(rng):
    options = {"save_freq": rng.choice([1, 2, 3, 4, 7]), "monitor": "loss", "save_best_only": rng.random() < 0.5}
    callback = keras.callbacks.ModelCheckpoint("{epoch}-{batch:02d}-{loss:.3f}.keras", mode="min", **options)
    model = Model()
    callback.set_model(model)
    callback._set_monitor_op()
    callback.on_train_begin()
    losses = []
    for epoch in range(4):
        callback.on_epoch_begin(epoch)
        losses.append([round(rng.random(), 3) for _ in range(3)])
        for batch, loss in enumerate(losses[-1]):
            callback.on_train_batch_end(batch, {"loss": loss})
        callback.on_epoch_end(epoch, {"loss": loss})
    return {"options": words(options), "losses": losses, "saved": [p[:-6] for p in model.saved]}


def csv(separator, append):
    model = Model()
    model.metrics_names = []
    with tempfile.TemporaryDirectory() as folder:
        path = os.path.join(folder, "log.csv")
        for first in [0, 2] if append else [0]:
            callback = keras.callbacks.CSVLogger(path, separator=separator, append=append)
            callback.set_model(model)
            callback.on_train_begin()
            for epoch in [first, first + 1]:
                callback.on_epoch_end(epoch, {"loss": 0.5 + epoch, "accuracy": 0.25, "a;b": epoch / 4})
            callback.on_train_end()
        with open(path, newline="") as file:
            return {"separator": separator, "append": append, "text": file.read().replace("\r\n", "\n")}


def main():
    rng = random.Random(5)
    golden = {
        "keras": keras.__version__,
        "earlyStopping": [early_stopping(rng) for _ in range(60)],
        "reduceLrOnPlateau": [reduce_lr(rng) for _ in range(40)],
        "modelCheckpoint": [checkpoint(rng) for _ in range(20)],
        "byBatch": [checkpoint_by_batch(rng) for _ in range(10)],
        "csv": [csv(",", False), csv(";", False), csv(";", True)],
    }
    lines = []
    for name, cases in golden.items():
        if isinstance(cases, str):
            lines.append(f'"{name}": {json.dumps(cases)}')
        else:
            body = ",\n".join("  " + json.dumps(case) for case in cases)
            lines.append(f'"{name}": [\n{body}\n]')
    path = os.path.join(os.path.dirname(os.path.abspath(__file__)), "callbacks.json")
    with open(path, "w") as file:
        file.write("{\n" + ",\n".join(lines) + "\n}\n")


if __name__ == "__main__":
    main()
