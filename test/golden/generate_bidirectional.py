#!/usr/bin/env python3
"""Golden numbers of bidirectional stacks on sequences of unequal length: PyTorch's, packed.

    OMP_NUM_THREADS=1 python3 test/golden/generate_bidirectional.py

Written for and run with PyTorch 1.13, as generate.py, whose layouts and names it shares; bidirectional.test.ts documents
the fields. A projection, torch's weight_hr, is stored transposed, [H, P].
"""

import os
import zlib

import torch
from torch import nn
from torch.nn.utils.rnn import pack_padded_sequence, pad_packed_sequence

from generate import SEED, given, gradient_of, keras_weights, one_bias, randomize, tensor, to_json, value_of

LAYERS, BATCH, TIME, INPUTS, UNITS, PROJECTED = 2, 3, 5, 3, 4, 2
LENGTHS = [5, 2, 4]
# (name of the case, cell, whether h is projected)
CASES = [("lstm", "lstm", False), ("lstmProjection", "lstm", True), ("gru", "gruAfter", False)]


def stack_case(name, cell, projects):
    options = {"proj_size": PROJECTED} if projects else {}
    module = nn.GRU if cell == "gruAfter" else nn.LSTM
    stack = module(INPUTS, UNITS, LAYERS, bidirectional=True, batch_first=True, **options)
    randomize(stack)
    if one_bias(cell):
        for key, p in stack.named_parameters():
            if key.startswith("bias_hh"):
                p.requires_grad_(False).zero_()

    x = given(BATCH, TIME, INPUTS).requires_grad_()
    y, finals = stack(pack_padded_sequence(x, LENGTHS, batch_first=True, enforce_sorted=False))
    y, _ = pad_packed_sequence(y, batch_first=True, total_length=TIME)
    finals = list(finals) if cell == "lstm" else [finals]
    d_y = given(*y.shape)
    # Of the upper layer alone: forward, then backward.
    d_finals = [given(*final[-2:].shape) for final in finals]
    torch.autograd.backward([y, *[final[-2:] for final in finals]], [d_y, *d_finals])

    def weights(read):
        named = []
        for suffix in ["0", "0_reverse", "1", "1_reverse"]:
            of_direction = list(keras_weights(cell, stack, suffix, read).values())
            if projects:
                of_direction.append(read(getattr(stack, f"weight_hr_l{suffix}")).t())
            named += [tensor(value) for value in of_direction]
        return named

    by_direction = lambda states: [tensor(state[direction]) for direction in (-2, -1) for state in states]
    return {
        "cell": name,
        "lengths": LENGTHS,
        "x": tensor(x),
        "weights": weights(value_of),
        "y": tensor(y),
        "finalStates": by_direction(finals),
        "dY": tensor(d_y),
        "dFinalStates": by_direction(d_finals),
        "gradients": weights(gradient_of),
        "dX": tensor(x.grad),
    }


def main():
    torch.set_num_threads(1)
    cases = []
    for name, cell, projects in CASES:
        torch.manual_seed(SEED + zlib.crc32(name.encode()))
        cases.append(stack_case(name, cell, projects))
    generator = "test/golden/generate_bidirectional.py"
    text = to_json({"generator": generator, "torch": torch.__version__, "seed": SEED, "cases": cases}) + "\n"
    with open(os.path.join(os.path.dirname(os.path.abspath(__file__)), "bidirectional.json"), "w") as output:
        output.write(text)
    print(f"seed {SEED}, torch {torch.__version__}, bidirectional.json: {len(text)} bytes")


if __name__ == "__main__":
    main()
