#!/usr/bin/env python3
"""Golden numbers: what PyTorch computes for small recurrent layers and models, one JSON file a cell.

    OMP_NUM_THREADS=1 python3 test/golden/generate.py

Written for and run with PyTorch 1.13 (Debian's python3-torch), float32 on one thread; load.ts documents the files'
fields. Weights, gradients and gate order are stored as Keras lays them out, so that tests compare them as they are:

    cell       torch                                   stored
    lstm       nn.LSTM, gates i f g o                  the same order; kernels transposed; one bias
    gruAfter   nn.GRU, gates r z n                     z r n; kernels transposed; two rows of bias
    gruBefore  ops and autograd (torch has no module)  z r n
    rnnTanh    nn.RNN, nonlinearity tanh               kernel transposed; one bias
    rnnRelu    nn.RNN, nonlinearity relu               kernel transposed; one bias

Torch's LSTM and RNN add two biases where Keras has one: the recurrent one is 0 here and is not trained.
"""

import json
import math
import os
import textwrap
import zlib

import torch
from torch import nn

SEED = 20
WEIGHT_SCALE = 0.5  # with inputs of about 1, gates spread over (0, 1) without saturating
ADAM = {"learningRate": 1e-2, "beta1": 0.9, "beta2": 0.999, "epsilon": 1e-7, "steps": 10}
LINE_WIDTH = 120

# (layers, T, B, I, H): layer cases are a bare stack under given gradients of its outputs and final states.
LAYER_SHAPES = [(1, 7, 3, 5, 6), (1, 3, 2, 4, 8), (1, 1, 1, 3, 5), (2, 4, 2, 3, 5)]
# (layers, T, B, I, H, V, input): model cases add a dense head and the loss; of tokens, also an embedding.
MODEL_SHAPES = [(1, 7, 3, 5, 6, 7, "x"), (2, 5, 3, 4, 5, 8, "tokens")]


class GruBefore(nn.Module):
    """The reset gate before the recurrent product, as Keras's GRU(reset_after=False); called like nn.GRU."""

    def __init__(self, input_size, units, layers):
        super().__init__()
        self.units = units
        sizes = [input_size] + [units] * (layers - 1)
        self.kernels = nn.ParameterList([nn.Parameter(torch.empty(size, 3 * units)) for size in sizes])
        self.recurrent_kernels = nn.ParameterList([nn.Parameter(torch.empty(units, 3 * units)) for _ in sizes])
        self.biases = nn.ParameterList([nn.Parameter(torch.empty(3 * units)) for _ in sizes])

    def forward(self, x, h0):
        finals = []
        for layer, (kernel, recurrent, bias) in enumerate(zip(self.kernels, self.recurrent_kernels, self.biases)):
            h, outputs, split = h0[layer], [], 2 * self.units
            for x_t in x:
                from_input = x_t @ kernel + bias
                z, r = torch.sigmoid(from_input[:, :split] + h @ recurrent[:, :split]).chunk(2, dim=1)
                n = torch.tanh(from_input[:, split:] + (r * h) @ recurrent[:, split:])
                h = z * h + (1 - z) * n
                outputs.append(h)
            x = torch.stack(outputs)
            finals.append(h)
        return x, torch.stack(finals)


MODULES = {
    "lstm": lambda i, h, layers: nn.LSTM(i, h, layers),
    "gruAfter": lambda i, h, layers: nn.GRU(i, h, layers),
    "gruBefore": GruBefore,
    "rnnTanh": lambda i, h, layers: nn.RNN(i, h, layers, nonlinearity="tanh"),
    "rnnRelu": lambda i, h, layers: nn.RNN(i, h, layers, nonlinearity="relu"),
}
FILES = {
    "lstm": "lstm.json",
    "gruAfter": "gru-after.json",
    "gruBefore": "gru-before.json",
    "rnnTanh": "rnn-tanh.json",
    "rnnRelu": "rnn-relu.json",
}


def one_bias(cell):
    return cell in ("lstm", "rnnTanh", "rnnRelu")


def make_stack(cell, input_size, units, layers):
    stack = MODULES[cell](input_size, units, layers)
    randomize(stack)
    if one_bias(cell):
        for name, p in stack.named_parameters():
            if name.startswith("bias_hh"):
                p.requires_grad_(False).zero_()
    return stack


def randomize(module):
    with torch.no_grad():
        for p in module.parameters():
            p.copy_(given(*p.shape, scale=WEIGHT_SCALE))


def given(*shape, scale=1.0):
    """Normal float32 numbers nearest to three decimals: what is given rather than computed stays short in the file."""
    return torch.round(torch.randn(*shape) * (1000 * scale)) / 1000


def zrn(rows):
    """Torch's gate order r z n, along the first axis, to Keras's z r n."""
    r, z, n = rows.chunk(3)
    return torch.cat([z, r, n])


def keras_weights(cell, stack, layer, read):
    """A layer's {kernel, recurrentKernel, bias} in Keras's layout; read(p) takes the value of p or its gradient."""
    if cell == "gruBefore":
        return {
            "kernel": read(stack.kernels[layer]),
            "recurrentKernel": read(stack.recurrent_kernels[layer]),
            "bias": read(stack.biases[layer]),
        }
    order = zrn if cell == "gruAfter" else lambda rows: rows
    part = lambda name: order(read(getattr(stack, f"{name}_l{layer}")))
    bias = part("bias_ih") if one_bias(cell) else torch.stack([part("bias_ih"), part("bias_hh")])
    return {"kernel": part("weight_ih").t(), "recurrentKernel": part("weight_hh").t(), "bias": bias}


def keras_parameters(cell, stack, layers, read, embedding=None, dense=None):
    named = {}
    if embedding is not None:
        named["embedding"] = read(embedding.weight)
    for layer in range(layers):
        for name, value in keras_weights(cell, stack, layer, read).items():
            named[f"layer{layer}/{name}"] = value
    if dense is not None:
        named["dense/kernel"] = read(dense.weight).t()
        named["dense/bias"] = read(dense.bias)
    return {name: tensor(value) for name, value in named.items()}


def value_of(p):
    return p.detach()


def gradient_of(p):
    return p.grad


def initial_states(cell, layers, batch, units):
    count = 2 if cell == "lstm" else 1
    return [given(layers, batch, units, scale=WEIGHT_SCALE).requires_grad_() for _ in range(count)]


def run_stack(cell, stack, x, states):
    """y and the list of final states, [L, B, H] each."""
    if cell == "lstm":
        y, finals = stack(x, tuple(states))
        return y, list(finals)
    y, final = stack(x, states[0])
    return y, [final]


def by_layer(states, layers):
    """States of [L, B, H] each to [layer][state] of [B, H]."""
    return [[tensor(state[layer]) for state in states] for layer in range(layers)]


def layer_case(cell, shape):
    layers, time, batch, input_size, units = shape
    stack = make_stack(cell, input_size, units, layers)
    x = given(time, batch, input_size).requires_grad_()
    states = initial_states(cell, layers, batch, units)
    y, finals = run_stack(cell, stack, x, states)
    d_y = given(*y.shape)
    d_finals = [given(*final.shape) for final in finals]
    torch.autograd.backward([y, *finals], [d_y, *d_finals])
    return {
        "cell": cell,
        "shape": {"layers": layers, "time": time, "batch": batch, "inputSize": input_size, "units": units},
        "x": tensor(x),
        "initialStates": by_layer(states, layers),
        "parameters": keras_parameters(cell, stack, layers, value_of),
        "y": tensor(y),
        "finalStates": by_layer(finals, layers),
        "dY": tensor(d_y),
        "dFinalStates": by_layer(d_finals, layers),
        "dX": tensor(x.grad),
        "dInitialStates": by_layer([state.grad for state in states], layers),
        "gradients": keras_parameters(cell, stack, layers, gradient_of),
    }


def model_case(cell, shape):
    layers, time, batch, input_size, units, vocabulary, source = shape
    embedding = nn.Embedding(vocabulary, input_size) if source == "tokens" else None
    stack = make_stack(cell, input_size, units, layers)
    dense = nn.Linear(units, vocabulary)
    for module in (embedding, dense):
        if module is not None:
            randomize(module)
    tokens = torch.randint(vocabulary, (time, batch))
    x = given(time, batch, input_size).requires_grad_()
    targets = torch.randint(vocabulary, (time, batch))
    states = initial_states(cell, layers, batch, units)
    modules = [module for module in (embedding, stack, dense) if module is not None]
    trained = [p for module in modules for p in module.parameters() if p.requires_grad]

    def loss_of_step():
        for p in [*trained, x, *states]:
            p.grad = None
        y, finals = run_stack(cell, stack, x if embedding is None else embedding(tokens), states)
        logits = dense(y)
        loss = nn.functional.cross_entropy(logits.flatten(0, 1), targets.flatten())
        loss.backward()
        return y, finals, logits, loss

    read = lambda reader: keras_parameters(cell, stack, layers, reader, embedding, dense)
    y, finals, logits, loss = loss_of_step()
    case = {
        "cell": cell,
        "shape": {
            "layers": layers,
            "time": time,
            "batch": batch,
            "inputSize": input_size,
            "units": units,
            "vocabulary": vocabulary,
        },
        **({"x": tensor(x)} if embedding is None else {"tokens": integers(tokens)}),
        "targets": integers(targets),
        "initialStates": by_layer(states, layers),
        "parameters": read(value_of),
        "y": tensor(y),
        "finalStates": by_layer(finals, layers),
        "logits": tensor(logits),
        "loss": number(loss),
        **({"dX": tensor(x.grad)} if embedding is None else {}),
        "dInitialStates": by_layer([state.grad for state in states], layers),
        "gradients": read(gradient_of),
    }
    losses = adam_losses(trained, lambda: loss_of_step()[3])
    case["adam"] = {**ADAM, "losses": losses, "parameters": read(value_of)}
    return case


def adam_losses(parameters, loss_of_step):
    """Torch's gradients through Keras's update: the loss before each step; parameters are changed in place.

    Not torch.optim.Adam, which corrects sqrt(v) for bias before it adds epsilon; Keras adds epsilon to the
    uncorrected sqrt(v), so the two differ wherever a gradient is small.
    """
    m = [torch.zeros_like(p) for p in parameters]
    v = [torch.zeros_like(p) for p in parameters]
    losses = []
    for step in range(1, ADAM["steps"] + 1):
        losses.append(number(loss_of_step()))
        alpha = ADAM["learningRate"] * math.sqrt(1 - ADAM["beta2"] ** step) / (1 - ADAM["beta1"] ** step)
        with torch.no_grad():
            for p, m_p, v_p in zip(parameters, m, v):
                m_p.mul_(ADAM["beta1"]).add_(p.grad, alpha=1 - ADAM["beta1"])
                v_p.mul_(ADAM["beta2"]).addcmul_(p.grad, p.grad, value=1 - ADAM["beta2"])
                p.addcdiv_(m_p, v_p.sqrt().add_(ADAM["epsilon"]), value=-alpha)
    return losses


class Float(float):
    """Prints as the shortest decimal that reads back as the same float32 (at most 9 significant digits)."""

    def __repr__(self):
        for digits in range(1, 10):
            text = f"{float(self):.{digits}g}"
            if torch.tensor(float(text), dtype=torch.float32).item() == float(self):
                return text
        raise ValueError(f"no float32: {float(self)!r}")


def number(scalar):
    return Float(scalar.item())


def tensor(t):
    return {"shape": list(t.shape), "values": [Float(value) for value in t.detach().flatten().tolist()]}


def integers(t):
    return {"shape": list(t.shape), "values": t.flatten().tolist()}


def to_json(value, indent=0, room=LINE_WIDTH):
    """JSON as the repository's formatter lays it out: an object's fields on their own lines, numbers filling lines.

    room is what is left of the line for a list that is short enough not to be broken.
    """
    pad, inner = " " * indent, " " * (indent + 2)
    if isinstance(value, dict):
        fields = []
        for n, (key, field) in enumerate(value.items()):
            start, comma = f'{inner}"{key}": ', "," if n < len(value) - 1 else ""
            fields.append(start + to_json(field, indent + 2, LINE_WIDTH - len(start + comma)) + comma)
        return "\n".join(["{", *fields, pad + "}"])
    if isinstance(value, list) and isinstance(value[0], (dict, list)):
        return "[\n" + ",\n".join(inner + to_json(item, indent + 2) for item in value) + f"\n{pad}]"
    if isinstance(value, list):
        items = [to_json(item) for item in value]
        short = "[" + ", ".join(items) + "]"
        if len(short) <= room:
            return short
        text = ", ".join(items)
        lines = textwrap.wrap(text, LINE_WIDTH, initial_indent=inner, subsequent_indent=inner, break_on_hyphens=False)
        return "\n".join(["[", *lines, pad + "]"])
    # The formatter writes exponents without leading zeros.
    return json.dumps(value) if isinstance(value, (str, bool)) else repr(value).replace("e-0", "e-")


def main():
    torch.set_num_threads(1)
    folder = os.path.dirname(os.path.abspath(__file__))
    print(f"seed {SEED}, torch {torch.__version__}")
    for cell, file in FILES.items():
        # A seed for each cell, so that a change to one file leaves the others as they are.
        torch.manual_seed(SEED + zlib.crc32(cell.encode()))
        golden = {
            "generator": "test/golden/generate.py",
            "torch": torch.__version__,
            "seed": SEED,
            "layers": [layer_case(cell, shape) for shape in LAYER_SHAPES],
            "models": [model_case(cell, shape) for shape in MODEL_SHAPES],
        }
        text = to_json(golden) + "\n"
        with open(os.path.join(folder, file), "w") as output:
            output.write(text)
        print(f"{file}: {len(text)} bytes")


if __name__ == "__main__":
    main()
