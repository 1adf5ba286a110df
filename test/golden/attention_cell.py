#!/usr/bin/env python3
"""Golden numbers: decoders with attention, composed of PyTorch's GRUCell and LSTMCell, in attention-cell.json.

    OMP_NUM_THREADS=1 python3 test/golden/attention_cell.py

Written for and run with PyTorch 1.13 (Debian's python3-torch), in float64 from float32 inputs and weights. Per case:
outputs of all steps, attention weights, last states, and the gradients of Σ outputs·seeds with regard to x, the
memory, the initial states and every weight, in Keras's layout.
"""

import os

import torch
from generate import given, tensor, to_json, zrn

SEED = 61
# (cell, score, query, B, T, S, inputs, units, score units, attention units, memory width, lengths of the memory)
CASES = [
    ("gru", "additive", "before", 2, 3, 4, 3, 5, 6, 4, 7, [4, 2]),
    ("gru", "general", "after", 3, 2, 5, 4, 3, None, 5, 6, [5, 1, 3]),
    ("lstm", "dot", "after", 2, 3, 3, 2, 4, None, 4, 4, [3, 3]),
    ("lstm", "additive", "after", 2, 2, 3, 2, 4, 3, 3, 5, [1, 3]),
]


def case(cell, score, query, batch, steps, length, inputs, units, score_units, width, memory_width, lengths):
    after = query == "after"
    wide = inputs + (width if after else memory_width)
    leaves = {}

    def leaf(name, *shape, scale=0.7):
        leaves[name] = given(*shape, scale=scale).double().requires_grad_()
        return leaves[name]

    x = leaf("x", batch, steps, inputs, scale=1)
    memory = leaf("memory", batch, length, memory_width, scale=1)
    gates = 3 if cell == "gru" else 4
    kernel, recurrent = leaf("kernel", wide, gates * units), leaf("recurrentKernel", units, gates * units)
    bias = leaf("bias", 2, gates * units) if cell == "gru" else leaf("bias", gates * units)
    states = [leaf("h", batch, units)] + ([leaf("c", batch, units)] if cell == "lstm" else [])
    a = leaf("a", batch, width) if after else None
    keys = memory
    if score != "dot":
        keys = memory @ leaf("keys/kernel", memory_width, score_units or units)
    if score == "additive":
        q_kernel, q_bias = leaf("query/kernel", units, score_units), leaf("query/bias", score_units)
        v = leaf("scoreKernel", score_units)
    out_kernel, out_bias = leaf("attend/kernel", memory_width + units, width), leaf("attend/bias", width)

    order = zrn if cell == "gru" else lambda rows: rows
    inner = (torch.nn.GRUCell if cell == "gru" else torch.nn.LSTMCell)(wide, units).double()

    def call(y, now):
        # zrn exchanges the first two gates, so it is its own inverse.
        zero = torch.zeros(gates * units, dtype=torch.float64)
        parameters = {
            "weight_ih": order(kernel.t()),
            "weight_hh": order(recurrent.t()),
            "bias_ih": order(bias[0] if cell == "gru" else bias),
            "bias_hh": order(bias[1]) if cell == "gru" else zero,
        }
        args = (y, now[0] if cell == "gru" else tuple(now))
        made = torch.nn.utils.stateless.functional_call(inner, parameters, args)
        return [made] if cell == "gru" else list(made)

    hidden = None
    if min(lengths) < length:
        hidden = torch.arange(length)[None] >= torch.tensor(lengths)[:, None]

    def look(q):
        if score == "additive":
            scores = torch.tanh((q @ q_kernel + q_bias)[:, None] + keys) @ v
        else:
            scores = (keys @ q[:, :, None])[:, :, 0]
        if hidden is not None:
            scores = scores.masked_fill(hidden, -float("inf"))
        weights = torch.softmax(scores, -1)
        return weights, (weights[:, None] @ memory)[:, 0]

    outputs, alignments = [], []
    for t in range(steps):
        if after:
            states = call(torch.cat([x[:, t], a], -1), states)
            weights, context = look(states[0])
        else:
            weights, context = look(states[0])
            states = call(torch.cat([x[:, t], context], -1), states)
        a = torch.tanh(torch.cat([context, states[0]], -1) @ out_kernel + out_bias)
        outputs.append(a)
        alignments.append(weights)
    y = torch.stack(outputs, 1)
    seeds = given(*y.shape)
    (y * seeds.double()).sum().backward()
    last = states + ([a] if after else [])
    stored = lambda value: tensor(value.detach().float())
    return {
        **{"cell": cell, "score": score, "query": query, "units": units},
        **{"scoreUnits": score_units or units, "attentionUnits": width, "lengths": lengths},
        "given": {name: stored(value) for name, value in leaves.items()},
        "seeds": tensor(seeds),
        "outputs": stored(y),
        "alignments": stored(torch.stack(alignments, 1)),
        "states": [stored(state) for state in last],
        "gradients": {name: stored(value.grad) for name, value in leaves.items()},
    }


def main():
    torch.set_num_threads(1)
    torch.manual_seed(SEED)
    golden = {
        "generator": "test/golden/attention_cell.py",
        "torch": torch.__version__,
        "seed": SEED,
        "cases": [case(*shape) for shape in CASES],
    }
    path = os.path.join(os.path.dirname(os.path.abspath(__file__)), "attention-cell.json")
    with open(path, "w") as output:
        output.write(to_json(golden) + "\n")
    print(f"seed {SEED}, torch {torch.__version__}, {os.path.getsize(path)} bytes")


if __name__ == "__main__":
    main()
