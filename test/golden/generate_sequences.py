#!/usr/bin/env python3
"""Golden numbers of sequences of unequal length and of projection: PyTorch's packed sequences in both directions.

    OMP_NUM_THREADS=1 python3 test/golden/generate_sequences.py

Written for and run with PyTorch 1.13, as generate.py, whose layouts and names it shares; sequences.test.ts documents the
fields. A projection, torch's weight_hr, is stored transposed, [H, P].
"""

import os
import zlib

import torch
from torch import nn
from torch.nn.utils.rnn import pack_padded_sequence, pad_packed_sequence

from generate import SEED, WEIGHT_SCALE, given, gradient_of, keras_weights, one_bias, randomize, tensor
from generate import to_json, value_of

TIME, BATCH, INPUTS, UNITS, PROJECTED = 6, 4, 3, 4, 2
LENGTHS = [4, 6, 1, 3]
# (name of the case, cell, whether h is projected)
CASES = [
    ("lstm", "lstm", False),
    ("lstmProjection", "lstm", True),
    ("gruAfter", "gruAfter", False),
    ("rnnTanh", "rnnTanh", False),
]
CLASSES = {"lstm": nn.LSTM, "gruAfter": nn.GRU, "rnnTanh": nn.RNN}


def sequence_case(name, cell, projects):
    options = {"proj_size": PROJECTED} if projects else {}
    layer = CLASSES[cell](INPUTS, UNITS, bidirectional=True, **options)
    randomize(layer)
    if one_bias(cell):
        for key, p in layer.named_parameters():
            if key.startswith("bias_hh"):
                p.requires_grad_(False).zero_()

    hidden = PROJECTED if projects else UNITS
    x = given(TIME, BATCH, INPUTS).requires_grad_()
    widths = [hidden, UNITS] if cell == "lstm" else [hidden]
    states = [given(2, BATCH, width, scale=WEIGHT_SCALE).requires_grad_() for width in widths]
    packed = pack_padded_sequence(x, LENGTHS, enforce_sorted=False)
    y, finals = layer(packed, tuple(states) if cell == "lstm" else states[0])
    y, _ = pad_packed_sequence(y, total_length=TIME)
    finals = list(finals) if cell == "lstm" else [finals]
    d_y = given(*y.shape) * (torch.arange(TIME)[:, None] < torch.tensor(LENGTHS)).unsqueeze(2)
    d_finals = [given(*final.shape) for final in finals]
    torch.autograd.backward([y, *finals], [d_y, *d_finals])

    def weights(suffix, read):
        named = keras_weights(cell, layer, suffix, read)
        if projects:
            named["projection"] = read(getattr(layer, f"weight_hr_l{suffix}")).t()
        return {key: tensor(value) for key, value in named.items()}

    def direction(index, suffix):
        columns = slice(index * hidden, (index + 1) * hidden)
        of_states = lambda list_of_states: [tensor(state[index]) for state in list_of_states]
        return {
            "initialStates": of_states(states),
            "parameters": weights(suffix, value_of),
            "y": tensor(y[:, :, columns]),
            "finalStates": of_states(finals),
            "dY": tensor(d_y[:, :, columns]),
            "dFinalStates": of_states(d_finals),
            "dInitialStates": of_states([state.grad for state in states]),
            "gradients": weights(suffix, gradient_of),
        }

    return {
        "cell": name,
        "lengths": LENGTHS,
        "x": tensor(x),
        "forward": direction(0, "0"),
        "backward": direction(1, "0_reverse"),
        "dX": tensor(x.grad),
    }


def main():
    torch.set_num_threads(1)
    cases = []
    for name, cell, projects in CASES:
        torch.manual_seed(SEED + zlib.crc32(name.encode()))
        cases.append(sequence_case(name, cell, projects))
    golden = {"generator": "test/golden/generate_sequences.py", "torch": torch.__version__, "seed": SEED, "cases": cases}
    text = to_json(golden) + "\n"
    with open(os.path.join(os.path.dirname(os.path.abspath(__file__)), "sequences.json"), "w") as output:
        output.write(text)
    print(f"seed {SEED}, torch {torch.__version__}, sequences.json: {len(text)} bytes")


if __name__ == "__main__":
    main()
