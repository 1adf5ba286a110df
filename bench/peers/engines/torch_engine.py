#!/usr/bin/env python3
"""PyTorch as one of the engines: answers the requests of the driver (see protocol.ts), a line of JSON each.

    python3 torch_engine.py THREADS

The models are those of ../../torch/bench.py. Weights and inputs are those of numbers.ts and cases.ts. Written for
PyTorch 1.13.
"""

import json
import os
import sys
import time

THREADS = int(sys.argv[1])
# OpenBLAS may have its own threads. It reads this variable once, when it is loaded.
os.environ["OPENBLAS_NUM_THREADS"] = sys.argv[1]
os.environ["OMP_NUM_THREADS"] = sys.argv[1]
# With active waiting the threads of torch and of OpenBLAS slow each other down.
os.environ["OMP_WAIT_POLICY"] = "PASSIVE"

import numpy  # noqa: E402
import torch  # noqa: E402
from torch import nn  # noqa: E402

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "../../torch"))
from bench import Model  # noqa: E402

VOCABULARY = 65
LEARNING_RATE, BETAS, EPSILON = 2e-3, (0.9, 0.999), 1e-10
CLIP_NORM = 5.0
CHECKED_STEPS = 10
INPUT_SEED, TARGET_SEED = 100, 101

# The same values as in child.ts.
WARM_UP_S = 0.5
WARM_UP_RUNS = 2
SAMPLE_S = 0.020
REFRESH_S = 0.005
RUNS_FOR_MEMORY = 5


def hashes(seed, count):
    """The hash of numbers.ts for (seed, 0 … count-1)."""
    h = numpy.arange(count, dtype=numpy.uint32) + numpy.uint32(seed * 0x9E3779B9 & 0xFFFFFFFF)
    h = (h ^ (h >> numpy.uint32(16))) * numpy.uint32(0x85EBCA6B)
    h = (h ^ (h >> numpy.uint32(13))) * numpy.uint32(0xC2B2AE35)
    return (h ^ (h >> numpy.uint32(16))) >> numpy.uint32(8)


def uniform(seed, shape, scale):
    values = (hashes(seed, int(numpy.prod(shape))) / 2.0**23 - 1) * scale
    return torch.from_numpy(values.astype(numpy.float32).reshape(shape))


def integers(seed, shape):
    return torch.from_numpy((hashes(seed, int(numpy.prod(shape))) % VOCABULARY).astype(numpy.int64).reshape(shape))


def weights_of(case):
    return {w["name"]: uniform(w["seed"], w["shape"], w["scale"]) for w in case["weights"]}


def set_recurrent(module, weights, layer):
    """Converts Keras's [I, G·H] to PyTorch's [G·H, I]. Gates: i f c o in both for LSTM; z r h to r z n for GRU."""
    units = module.hidden_size

    def reorder(weight):
        if isinstance(module, nn.LSTM):
            return weight
        z, r, n = weight.split(units, -1)
        return torch.cat([r, z, n], -1)

    bias = reorder(weights[f"bias{layer}"])
    with torch.no_grad():
        getattr(module, f"weight_ih_l{layer}").copy_(reorder(weights[f"kernel{layer}"]).T)
        getattr(module, f"weight_hh_l{layer}").copy_(reorder(weights[f"recurrentKernel{layer}"]).T)
        getattr(module, f"bias_ih_l{layer}").copy_(bias[0] if bias.dim() == 2 else bias)
        getattr(module, f"bias_hh_l{layer}").copy_(bias[1] if bias.dim() == 2 else torch.zeros_like(bias))


class Train:
    def __init__(self, case):
        weights = weights_of(case)
        self.model = Model(case["hidden"], case["layers"])
        with torch.no_grad():
            self.model.embedding.weight.copy_(weights["embedding"])
            self.model.dense.weight.copy_(weights["denseKernel"].T)
            self.model.dense.bias.copy_(weights["denseBias"])
        for layer in range(case["layers"]):
            set_recurrent(self.model.lstm, weights, layer)
        self.parameters = list(self.model.parameters())
        self.optimizer = torch.optim.Adam(self.parameters, lr=LEARNING_RATE, betas=BETAS, eps=EPSILON)
        shape = [case["batch"], case["time"]]
        self.tokens = integers(INPUT_SEED, shape).T.contiguous()
        self.targets = integers(TARGET_SEED, shape).T.flatten()

    def run(self):
        self.optimizer.zero_grad(set_to_none=True)
        loss = nn.functional.cross_entropy(self.model(self.tokens).flatten(0, 1), self.targets)
        loss.backward()
        norm = nn.utils.clip_grad_norm_(self.parameters, CLIP_NORM)
        self.optimizer.step()
        return loss.item(), norm.item()

    def check(self):
        # Keras's LSTM has one bias, so the second one stays at zero while numbers are compared.
        second = [p for name, p in self.model.lstm.named_parameters() if name.startswith("bias_hh")]
        for bias in second:
            bias.requires_grad_(False)
        loss, norm = self.run()
        after, _ = self.run()
        for bias in second:
            bias.requires_grad_(True)
        return torch.tensor([loss, norm, after])


class Infer:
    def __init__(self, case):
        module = {"lstm": nn.LSTM, "gru": nn.GRU}[case["cell"]]
        self.layer = module(case["inputs"], case["hidden"]).eval()
        set_recurrent(self.layer, weights_of(case), 0)
        shape = [case["batch"], case["time"], case["inputs"]]
        self.x = uniform(INPUT_SEED, shape, 1).transpose(0, 1).contiguous()

    @torch.no_grad()
    def run(self):
        return self.layer(self.x)[0]

    def check(self):
        return self.run().transpose(0, 1)


class Step(Infer):
    def __init__(self, case):
        super().__init__(case)
        self.states = (torch.zeros(1, 1, case["hidden"]), torch.zeros(1, 1, case["hidden"]))

    @torch.no_grad()
    def run(self):
        _, self.states = self.layer(self.x, self.states)

    def check(self):
        for _ in range(CHECKED_STEPS):
            self.run()
        return self.states[0]


class Gemm:
    def __init__(self, case):
        shape = [case["size"], case["size"]]
        a, b = (uniform(seed, shape, 1) for seed in (INPUT_SEED, TARGET_SEED))
        self.a = a.T if case["layout"][0] == "T" else a
        self.b = b.T if case["layout"][1] == "T" else b
        self.c = torch.empty(shape)

    def run(self):
        return torch.mm(self.a, self.b, out=self.c)

    def check(self):
        return self.run()


KINDS = {"train": Train, "chars": Train, "infer": Infer, "step": Step, "gemm": Gemm}


def seconds(task, count):
    started = time.perf_counter()
    for _ in range(count):
        task.run()
    return time.perf_counter() - started


def warm_up(task):
    """Runs the task until it is warm. Returns the number of runs in one sample."""
    elapsed, last, runs = 0, 0, 0
    while runs < WARM_UP_RUNS or elapsed < WARM_UP_S:
        last = seconds(task, 1)
        elapsed += last
        runs += 1
    return 1 if last > SAMPLE_S else int(numpy.ceil(SAMPLE_S / (seconds(task, 20) / 20)))


def resident(field):
    with open("/proc/self/status") as status:
        return next(int(line.split()[1]) / 1024 for line in status if line.startswith(field))


class Server:
    def __init__(self):
        self.task, self.repeats = None, 1

    def prepare(self, request):
        self.task = KINDS[request["case"]["kind"]](request["case"])
        self.task.check().contiguous().numpy().tofile(request["checked"])
        if request["warm"]:
            self.repeats = warm_up(self.task)
        return {}

    def sample(self, request):
        if self.repeats > 1:
            seconds(self.task, int(numpy.ceil(self.repeats * REFRESH_S / SAMPLE_S)))
        cpu = time.process_time()
        elapsed = seconds(self.task, self.repeats)
        return {"ms": 1000 * elapsed / self.repeats, "busy": (time.process_time() - cpu) / elapsed}

    def memory(self, request):
        with open("/proc/self/clear_refs", "w") as clear:
            clear.write("5")
        base = resident("VmRSS")
        self.task = KINDS[request["case"]["kind"]](request["case"])
        seconds(self.task, RUNS_FOR_MEMORY)
        return {"megabytes": resident("VmHWM") - base, "baseMegabytes": base}


def say(line):
    print(json.dumps(line), flush=True)


def main():
    torch.set_num_threads(THREADS)
    server = Server()
    say({"version": torch.__version__})
    for line in sys.stdin:
        request = json.loads(line)
        try:
            say(getattr(server, request["op"])(request))
        except Exception as error:  # The driver prints the error and continues.
            say({"error": f"{type(error).__name__}: {error}"})


if __name__ == "__main__":
    main()
