#!/usr/bin/env python3
"""Writes audio-features.json: librosa's mel filters, mel spectrograms and decibels.

Needs `pip install librosa==0.11.0`. Regenerate with `python3 test/golden/audio_features.py`.
"""

import json
import os

import librosa
import numpy

SEED = 67
random = numpy.random.default_rng(SEED)


def stored(array):
    array = numpy.asarray(array, dtype=numpy.float64)
    return {"shape": list(array.shape), "values": [float(f"{v:.7g}") for v in array.flatten()]}


def filters():
    for options in (
        {"sampleRate": 16000, "nFft": 128, "nMels": 10},
        {"sampleRate": 22050, "nFft": 81, "nMels": 7, "melScale": "htk"},
        {"sampleRate": 8000, "nFft": 64, "nMels": 12, "fMin": 80.5, "fMax": 3600, "norm": "none"},
        {"sampleRate": 44100, "nFft": 96, "nMels": 5, "fMin": 1200, "melScale": "htk", "norm": "none"},
    ):
        norm = options.get("norm", "slaney")
        bank = librosa.filters.mel(
            sr=options["sampleRate"],
            n_fft=options["nFft"],
            n_mels=options["nMels"],
            fmin=options.get("fMin", 0),
            fmax=options.get("fMax"),
            htk=options.get("melScale") == "htk",
            norm=None if norm == "none" else norm,
            dtype=numpy.float64,
        )
        yield {"options": options, "values": stored(bank.T)}


def spectrograms():
    for samples, options, arguments in (
        (300, {"sampleRate": 8000, "nFft": 64, "nMels": 8}, {"hop_length": 16, "pad_mode": "reflect"}),
        (
            400,
            {
                **{"sampleRate": 16000, "nFft": 100, "nMels": 6},
                **{"hopLength": 40, "winLength": 80, "power": 1, "center": False},
            },
            {"hop_length": 40, "win_length": 80, "power": 1, "center": False},
        ),
    ):
        x = random.uniform(-1, 1, samples).astype(numpy.float32).astype(numpy.float64)
        mels = librosa.feature.melspectrogram(
            y=x, sr=options["sampleRate"], n_fft=options["nFft"], n_mels=options["nMels"], **arguments
        )
        yield {"options": options, "x": stored(x), "y": stored(mels.T)}


def decibels():
    x = (random.uniform(0, 1, (3, 5)) ** 12).astype(numpy.float32).astype(numpy.float64)
    for options in ({}, {"topDb": 30}, {"ref": 0.25, "amin": 1e-3}, {"ref": 1e-4, "amin": 1e-2, "topDb": 5}):
        arguments = {"top_db": options.get("topDb"), **{k: v for k, v in options.items() if k != "topDb"}}
        yield {
            "options": options,
            "x": stored(x),
            "amplitude": stored(librosa.amplitude_to_db(x, **arguments)),
            "power": stored(librosa.power_to_db(x, **arguments)),
        }


made = {
    "librosa": librosa.__version__,
    "seed": SEED,
    "filters": [*filters()],
    "spectrograms": [*spectrograms()],
    "decibels": [*decibels()],
}
with open(os.path.join(os.path.dirname(__file__), "audio-features.json"), "w") as file:
    json.dump(made, file)
    file.write("\n")
