#!/usr/bin/env python3
"""Writes audio.json: PyTorch's windows and Fourier transforms, with gradients, computed in float64.

PyTorch has the bins before the frames, so spectra are transposed, and written as pairs of real and imaginary parts.
Made with torch 1.13. Regenerate with `/usr/bin/python3 test/golden/audio.py`.
"""

import json
import os

import torch

SEED = 61


def stored(tensor):
    return {"shape": list(tensor.shape), "values": [float(f"{v:.7g}") for v in tensor.detach().flatten().tolist()]}


def random(*shape):
    # Numbers that float32 has.
    return (torch.rand(shape) * 2 - 1).double()


def pairs(spectra):
    return torch.view_as_real(spectra.transpose(-1, -2)) if spectra.dim() > 1 else torch.view_as_real(spectra)


def case(op, options, x, y):
    d_y = random(*y.shape)
    (y * d_y).sum().backward()
    return {"op": op, "options": options, "x": stored(x), "y": stored(y), "dY": stored(d_y), "dX": stored(x.grad)}


def windows():
    made = []
    for periodic in (True, False):
        for length in (1, 2, 5, 8):
            named = [(name, None) for name in ("hann", "hamming", "blackman", "kaiser")]
            for name, beta in (*named, ("kaiser", 5.0)):
                make = getattr(torch, f"{name}_window")
                arguments = {} if beta is None else {"beta": beta}
                values = make(length, periodic=periodic, dtype=torch.float64, **arguments)
                options = {"periodic": periodic, **arguments}
                made.append({"name": name, "length": length, "options": options, "values": stored(values)["values"]})
    return made


def transforms():
    for shape, options in (
        ((2, 12), {}),
        ((3, 7), {}),
        ((10,), {"norm": "ortho"}),
        ((2, 9), {"n": 6, "norm": "forward"}),
        ((2, 5), {"n": 8}),
        ((2, 1), {}),
    ):
        x = random(*shape).requires_grad_()
        yield case("rfft", options, x, torch.view_as_real(torch.fft.rfft(x, **options)))
    for shape, options in (
        ((2, 7, 2), {}),
        ((4, 2), {"n": 7}),
        ((2, 6, 2), {"norm": "ortho"}),
        ((2, 6, 2), {"n": 5, "norm": "forward"}),
        ((2, 3, 2), {"n": 12}),
        ((2, 2), {"n": 1}),
    ):
        y = random(*shape).requires_grad_()
        yield case("irfft", options, y, torch.fft.irfft(torch.view_as_complex(y), **options))


VARIANTS = (
    (20, {"nFft": 8}),
    (21, {"nFft": 8, "hopLength": 3, "center": False, "window": "hamming"}),
    (30, {"nFft": 12, "hopLength": 5, "winLength": 9, "window": "hamming", "normalized": True}),
    (25, {"nFft": 9, "hopLength": 2, "padMode": "constant", "window": "blackman"}),
    (16, {"nFft": 10, "hopLength": 3, "winLength": 5, "onesided": False}),
    (18, {"nFft": 7, "hopLength": 2, "window": "rectangular", "onesided": False}),
    (14, {"nFft": 6, "hopLength": 7, "window": "kaiser", "center": False}),
    (40, {"nFft": 16, "hopLength": 4, "winLength": 15, "padMode": "constant", "normalized": True}),
)


def arguments_of(options):
    n = options["nFft"]
    length = options.get("winLength", n)
    name = options.get("window", "hann")
    make = {"rectangular": lambda k, dtype: torch.ones(k, dtype=dtype)}.get(name) or getattr(torch, f"{name}_window")
    return {
        "n_fft": n,
        "hop_length": options.get("hopLength", n // 4),
        "win_length": length,
        "window": make(length, dtype=torch.float64),
        "center": options.get("center", True),
        "normalized": options.get("normalized", False),
        "onesided": options.get("onesided", True),
    }


def short_time():
    for samples, options in VARIANTS:
        x = random(2, samples).requires_grad_()
        mode = options.get("padMode", "reflect")
        y = torch.stft(x, pad_mode=mode, return_complex=True, **arguments_of(options))
        yield case("stft", options, x, pairs(y))
    x = random(15).requires_grad_()
    yield case("stft", {"nFft": 4}, x, pairs(torch.stft(x, return_complex=True, **arguments_of({"nFft": 4}))))
    for frames, options in (
        (5, {"nFft": 8}),
        (6, {"nFft": 8, "hopLength": 3, "center": False, "window": "hamming"}),
        (4, {"nFft": 12, "hopLength": 5, "winLength": 9, "window": "hamming", "normalized": True}),
        (7, {"nFft": 9, "hopLength": 2, "window": "blackman"}),
        (5, {"nFft": 10, "hopLength": 3, "onesided": False}),
        (4, {"nFft": 7, "hopLength": 2, "window": "rectangular", "onesided": False, "length": 9}),
        (5, {"nFft": 8, "hopLength": 2, "length": 5}),
        (3, {"nFft": 6, "hopLength": 2, "window": "hamming", "length": 11}),
    ):
        n = options["nFft"]
        onesided = options.get("onesided", True)
        y = random(2, frames, n // 2 + 1 if onesided else n, 2).requires_grad_()
        spectra = torch.view_as_complex(y).transpose(-1, -2)
        yield case("istft", options, y, torch.istft(spectra, length=options.get("length"), **arguments_of(options)))


torch.manual_seed(SEED)
cases = [*transforms(), *short_time()]
with open(os.path.join(os.path.dirname(__file__), "audio.json"), "w") as file:
    json.dump({"pytorch": torch.__version__, "seed": SEED, "windows": windows(), "cases": cases}, file)
    file.write("\n")
