#!/usr/bin/env python3
"""Golden numbers: what PyTorch's ctc_loss computes for a few batches, in ctc.json.

    OMP_NUM_THREADS=1 python3 test/golden/ctc.py

Written for and run with PyTorch 1.13 (Debian's python3-torch). Logits are float32; the loss is computed from them in float64, by
torch.nn.functional.log_softmax and ctc_loss with reduction "none", so that what is stored is right to the last digit
of a float32. The gradient is that of the sum of losses·weights with regard to the logits.
"""

import os

import torch
from generate import Float, integers, tensor, to_json

SEED = 40
# (B, T, V, blank, labels, input lengths)
CASES = [
    (2, 5, 4, 0, [[1, 2, 3], [2, 2]], [5, 5]),
    (4, 12, 6, 0, [[1, 1, 1, 5], [4], [], [3, 2, 3, 2, 3, 2]], [12, 7, 5, 12]),
    (3, 9, 5, 4, [[0, 1, 0, 0], [3, 2], [2, 2, 2]], [9, 4, 8]),
    (2, 60, 11, 0, [[1, 10, 2, 2, 9, 3, 3, 3, 8, 4, 5, 7, 6, 6], [7, 7, 7, 7, 7]], [60, 41]),
]


def case(batch, steps, classes, blank, labels, input_lengths):
    logits = (2 * torch.randn(batch, steps, classes)).requires_grad_()
    weights = torch.rand(batch) + 0.5
    log_probs = torch.log_softmax(logits.double(), dim=-1).transpose(0, 1)
    losses = torch.nn.functional.ctc_loss(
        log_probs,
        torch.tensor(sum(labels, [])),
        torch.tensor(input_lengths),
        torch.tensor([len(label) for label in labels]),
        blank=blank,
        reduction="none",
    )
    (losses * weights).sum().backward()
    width = max(len(label) for label in labels)
    padded = [label + [blank] * (width - len(label)) for label in labels]
    return {
        "blank": blank,
        "inputLengths": input_lengths,
        "labels": integers(torch.tensor(padded)),
        "logits": tensor(logits),
        "weights": tensor(weights),
        "losses": {"shape": [batch], "values": [Float(value) for value in losses.float().tolist()]},
        "dLogits": tensor(logits.grad),
    }


def main():
    torch.set_num_threads(1)
    torch.manual_seed(SEED)
    golden = {
        "generator": "test/golden/ctc.py",
        "torch": torch.__version__,
        "seed": SEED,
        "cases": [case(*shape) for shape in CASES],
    }
    path = os.path.join(os.path.dirname(os.path.abspath(__file__)), "ctc.json")
    with open(path, "w") as output:
        output.write(to_json(golden) + "\n")
    print(f"seed {SEED}, torch {torch.__version__}, {os.path.getsize(path)} bytes")


if __name__ == "__main__":
    main()
