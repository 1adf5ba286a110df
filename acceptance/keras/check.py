"""Loads the archives that random-models.ts kept, by Keras's rules, and compares their outputs.

    node --import tsx acceptance/keras/random-models.ts 200 1 /tmp/models
    /usr/bin/python3 acceptance/keras/check.py /tmp/models
"""
import json
import pathlib
import sys

import numpy as np

import keras_files

failed, largest, count = 0, 0.0, 0
for path in sorted(pathlib.Path(sys.argv[1]).glob("*.keras")):
    values = json.loads(path.with_suffix(".json").read_text())
    count += 1
    try:
        model = keras_files.read(str(path))
        y = keras_files.call(model, np.array(values["x"]).reshape(values["dims"]))
        difference = np.max(np.abs(y.ravel() - values["y"]) / (1 + np.abs(values["y"])))
        largest = max(largest, difference)
        if not difference <= 1e-5:
            raise ValueError(f"outputs differ by {difference}")
    except (ValueError, KeyError, IndexError) as error:
        failed += 1
        print(path.name, type(error).__name__, error)
print(f"{count} archives: {failed} failed, largest difference of outputs {largest:.1e} relative to 1 + |value|")
sys.exit(failed > 0)
