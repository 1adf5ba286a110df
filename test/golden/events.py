#!/usr/bin/env python3
"""Golden event file: the bytes that TensorBoard's own messages and record writer make, as events.json.

    python3 test/golden/events.py && npm run format
    python3 test/golden/events.py FOLDER    # what TensorBoard reads in the event files of a folder

Written for and run with TensorBoard 2.21.
"""

import base64
import io
import json
import os
import sys

from tensorboard.backend.event_processing import event_accumulator
from tensorboard.compat.proto import event_pb2, summary_pb2
from tensorboard.summary.writer.record_writer import RecordWriter

SECONDS = 1700000000.25
STEPS = [
    (0, {"epoch_loss": 0.693147, "epoch_accuracy": 0.0}),
    (1, {"epoch_loss": 1e-20, "größe/µ": -3.5}),
    (300, {"batch_loss": 123456.75}),
    (5000000000, {"a": 1.0, "b": 2.0, "c": 3.0, "a_name_that_is_long_enough_for_a_length_of_two_bytes_" + "x" * 128: 4.0}),
]


def main():
    file = io.BytesIO()
    writer = RecordWriter(file)
    writer.write(event_pb2.Event(wall_time=SECONDS, file_version="brain.Event:2").SerializeToString())
    for step, scalars in STEPS:
        summary = summary_pb2.Summary()
        for tag, value in scalars.items():
            metadata = summary_pb2.SummaryMetadata()
            metadata.plugin_data.plugin_name = "scalars"
            summary.value.add(tag=tag, simple_value=value, metadata=metadata)
        writer.write(event_pb2.Event(wall_time=SECONDS, step=step, summary=summary).SerializeToString())
    golden = {
        "seconds": SECONDS,
        "steps": [{"step": step, "scalars": scalars} for step, scalars in STEPS],
        "base64": base64.b64encode(file.getvalue()).decode(),
    }
    path = os.path.join(os.path.dirname(os.path.abspath(__file__)), "events.json")
    with open(path, "w") as out:
        json.dump(golden, out, ensure_ascii=False)


def read(folder):
    reader = event_accumulator.EventAccumulator(folder)
    reader.Reload()
    for tag in reader.Tags()["scalars"]:
        print(tag, [(event.step, event.value) for event in reader.Scalars(tag)])


if __name__ == "__main__":
    if len(sys.argv) > 1:
        read(sys.argv[1])
    else:
        main()
