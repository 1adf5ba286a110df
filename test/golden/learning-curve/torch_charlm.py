#!/usr/bin/env python3
"""The learning curve a character model has to reproduce, as PyTorch trains it.

    python3 torch_charlm.py tinyshakespeare.txt --seed 1

The model: embedding 64 -> LSTM 128 -> dense over the characters, softmax cross-entropy in nat per character.
The data: the first 90 % of the text trains, the rest validates. The training text is cut into 32 equal contiguous
streams; every step reads the next 50 characters of each, the LSTM's states pass from one window to the next as values
without gradient, and where the streams end they start again from zero states.
The rules are Keras's, so that a port compares like with like: its initialisers (glorot uniform kernels, orthogonal
recurrent kernel, zero bias with the forget gate at 1, embedding uniform in +-0.05), its Adam (epsilon outside the bias
correction) and clipping by the global norm.

Prints one JSON line {"embedding", "seed", "step", "trainLoss", "validationLoss", "msPerStep"} at each --report step.
The train loss is the mean since the line before; msPerStep leaves validation out. Written for PyTorch 1.13.
"""

import argparse
import json
import math
import os
import time

# An OpenBLAS with threads of its own does not follow torch.set_num_threads, and reads this once, when it is loaded.
os.environ["OPENBLAS_NUM_THREADS"] = "1"

import torch
from torch import nn

STREAMS = 32
WINDOW = 50
EMBEDDING = 64
UNITS = 128
LEARNING_RATE = 2e-3
BETA1, BETA2, EPSILON = 0.9, 0.999, 1e-7
CLIP_NORM = 5.0


class CharModel(nn.Module):
    def __init__(self, vocabulary, embedding):
        super().__init__()
        self.embedding = nn.Embedding(vocabulary, EMBEDDING)
        self.lstm = nn.LSTM(EMBEDDING, UNITS)
        self.dense = nn.Linear(UNITS, vocabulary)
        if embedding == "uniform":
            nn.init.uniform_(self.embedding.weight, -0.05, 0.05)
        else:
            nn.init.normal_(self.embedding.weight)
        # Keras draws each kernel as one matrix over all four gates; torch's is its transpose, which changes neither
        # the fans of glorot nor, for the orthogonal one, that the H columns of [4H, H] are orthonormal.
        nn.init.xavier_uniform_(self.lstm.weight_ih_l0)
        nn.init.orthogonal_(self.lstm.weight_hh_l0)
        nn.init.zeros_(self.lstm.bias_ih_l0)
        with torch.no_grad():
            self.lstm.bias_ih_l0[UNITS : 2 * UNITS] = 1.0
        # Keras has one bias. Torch's second stays 0 and out of training.
        nn.init.zeros_(self.lstm.bias_hh_l0)
        self.lstm.bias_hh_l0.requires_grad_(False)
        nn.init.xavier_uniform_(self.dense.weight)
        nn.init.zeros_(self.dense.bias)

    def forward(self, tokens, states):
        y, states = self.lstm(self.embedding(tokens), states)
        return self.dense(y), states


class KerasAdam:
    """p -= lr * sqrt(1 - b2^t) / (1 - b1^t) * m / (sqrt(v) + eps); torch.optim.Adam corrects sqrt(v) before eps."""

    def __init__(self, parameters):
        self.parameters = parameters
        self.m = [torch.zeros_like(p) for p in parameters]
        self.v = [torch.zeros_like(p) for p in parameters]
        self.step_count = 0

    @torch.no_grad()
    def step(self):
        self.step_count += 1
        t = self.step_count
        alpha = LEARNING_RATE * math.sqrt(1 - BETA2**t) / (1 - BETA1**t)
        for p, m, v in zip(self.parameters, self.m, self.v):
            m.mul_(BETA1).add_(p.grad, alpha=1 - BETA1)
            v.mul_(BETA2).addcmul_(p.grad, p.grad, value=1 - BETA2)
            p.addcdiv_(m, v.sqrt().add_(EPSILON), value=-alpha)


def cut_streams(tokens, count):
    """[N] -> [count, N // count], every row a contiguous part of the text."""
    length = len(tokens) // count
    return tokens[: length * count].view(count, length)


def windows(streams):
    """Inputs and targets [T, B] of successive windows, the target being the next character."""
    for start in range(0, streams.shape[1] - WINDOW, WINDOW):
        yield streams[:, start : start + WINDOW].t(), streams[:, start + 1 : start + WINDOW + 1].t()


@torch.no_grad()
def validation_loss(model, tokens):
    """Mean over the validation text, read as 32 streams with carried states; the ends shorter than a window are left."""
    states, total, count = None, 0.0, 0
    for inputs, targets in windows(cut_streams(tokens, STREAMS)):
        logits, states = model(inputs, states)
        total += nn.functional.cross_entropy(logits.flatten(0, 1), targets.flatten(), reduction="sum").item()
        count += targets.numel()
    return total / count


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("text")
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--embedding", choices=["uniform", "normal"], default="uniform")
    parser.add_argument("--report", type=int, nargs="+", default=[500, 1000, 1500])
    args = parser.parse_args()
    torch.set_num_threads(1)
    torch.manual_seed(args.seed)

    # newline="" keeps the characters of the file as they are.
    with open(args.text, encoding="utf-8", newline="") as file:
        text = file.read()
    ids = {character: n for n, character in enumerate(sorted(set(text)))}
    tokens = torch.tensor([ids[character] for character in text])
    split = len(tokens) * 9 // 10
    streams = cut_streams(tokens[:split], STREAMS)

    model = CharModel(len(ids), args.embedding)
    trained = [p for p in model.parameters() if p.requires_grad]
    optimizer = KerasAdam(trained)
    step, seconds, losses = 0, 0.0, []
    while True:
        states = None
        for inputs, targets in windows(streams):
            started = time.perf_counter()
            if states is not None:
                states = tuple(state.detach() for state in states)
            logits, states = model(inputs, states)
            loss = nn.functional.cross_entropy(logits.flatten(0, 1), targets.flatten())
            for p in trained:
                p.grad = None
            loss.backward()
            nn.utils.clip_grad_norm_(trained, CLIP_NORM)
            optimizer.step()
            seconds += time.perf_counter() - started
            losses.append(loss.item())
            step += 1
            if step in args.report:
                line = {
                    "embedding": args.embedding,
                    "seed": args.seed,
                    "step": step,
                    "trainLoss": round(sum(losses) / len(losses), 4),
                    "validationLoss": round(validation_loss(model, tokens[split:]), 4),
                    "msPerStep": round(1000 * seconds / step, 2),
                }
                print(json.dumps(line), flush=True)
                losses = []
            if step >= max(args.report):
                return


if __name__ == "__main__":
    main()
