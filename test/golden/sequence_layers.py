#!/usr/bin/env python3
"""Writes sequence-layers.json: what PyTorch computes for the layers of tapeloop/sequences, with the gradients of
sum(output · dOutput).

The normalized cells and zoneout are written out with torch.nn.functional.layer_norm and autograd. multiHeadAttention is
torch.nn.MultiheadAttention with its matrices cut into heads, as Keras lays them out; over other axes
than time it is the einsum of Keras. The mixtures are those of
torch.distributions. Regenerate with `OMP_NUM_THREADS=1 /usr/bin/python3 test/golden/sequence_layers.py` (PyTorch 1.13).
"""

import os

import torch
import torch.nn.functional as F
from generate import to_json
from torch import distributions as D
from torch import nn

EPSILON = 1e-3


def uniform(*shape, scale=1.0):
    return ((torch.rand(shape) * 2 - 1) * scale).requires_grad_()


def stored(tensor):
    return {"shape": list(tensor.shape), "values": [float(f"{v:.7g}") for v in tensor.detach().flatten().tolist()]}


def case(layer, options, inputs, weights, outputs, extra=None):
    """`inputs` and `weights` are leaves, `weights` in the order of the layer."""
    d_outputs = [torch.rand(y.shape) * 2 - 1 for y in outputs]
    leaves = [*inputs, *weights]
    grads = torch.autograd.grad(
        sum((y * d).sum() for y, d in zip(outputs, d_outputs)), leaves, allow_unused=True
    )
    grads = [torch.zeros_like(leaf) if grad is None else grad for leaf, grad in zip(leaves, grads)]
    return {
        "layer": layer,
        "options": options,
        "inputs": [stored(x) for x in inputs],
        "weights": [stored(w) for w in weights],
        "outputs": [stored(y) for y in outputs],
        "dOutputs": [stored(d) for d in d_outputs],
        "dInputs": [stored(g) for g in grads[: len(inputs)]],
        "dWeights": [stored(g) for g in grads[len(inputs) :]],
        **(extra or {}),
    }


def norm(x, gamma, beta):
    return F.layer_norm(x, x.shape[-1:], gamma, beta, EPSILON)


def normed_lstm(zoneout):
    batch, time, inputs, units = 3, 4, 2, 3
    x = uniform(batch, time, inputs)
    W, U, b = uniform(inputs, 4 * units), uniform(units, 4 * units), uniform(4 * units)
    norms = [uniform(n) for n in (4 * units, 4 * units, 4 * units, 4 * units, units, units)]
    h, c = torch.zeros(batch, units), torch.zeros(batch, units)
    ys = []
    for t in range(time):
        z = norm(x[:, t] @ W, norms[0], norms[1]) + norm(h @ U, norms[2], norms[3]) + b
        i, f, g, o = z.chunk(4, -1)
        c_new = norm(torch.sigmoid(f) * c + torch.sigmoid(i) * torch.tanh(g), norms[4], norms[5])
        h_new = torch.sigmoid(o) * torch.tanh(c_new)
        h = zoneout[0] * h + (1 - zoneout[0]) * h_new
        c = zoneout[1] * c + (1 - zoneout[1]) * c_new
        ys.append(h)
    options = {"units": units, "returnSequences": True, "returnState": True, "zoneout": zoneout}
    return case("layerNormLstm", options, [x], [W, U, b, *norms], [torch.stack(ys, 1), h, c])


def normed_gru():
    batch, time, inputs, units = 3, 4, 2, 3
    x = uniform(batch, time, inputs)
    W, U, b = uniform(inputs, 3 * units), uniform(units, 3 * units), uniform(3 * units)
    norms = [uniform(3 * units) for _ in range(4)]
    h = torch.zeros(batch, units)
    ys = []
    for t in range(time):
        s = norm(x[:, t] @ W, norms[0], norms[1]) + b
        u = norm(h @ U, norms[2], norms[3])
        zs, rs, gs = s.chunk(3, -1)
        zu, ru, gu = u.chunk(3, -1)
        z = torch.sigmoid(zs + zu)
        g = torch.tanh(gs + torch.sigmoid(rs + ru) * gu)
        h = z * h + (1 - z) * g
        ys.append(h)
    options = {"units": units, "returnSequences": True, "returnState": True}
    return case("layerNormGru", options, [x], [W, U, b, *norms], [torch.stack(ys, 1), h])


def attention(masked, causal):
    batch, queries, values, width, kv, heads = 2, 3, 4, 6, 5, 3
    if causal:
        values = queries
    head = width // heads
    layer = nn.MultiheadAttention(width, heads, kdim=kv, vdim=kv, batch_first=True)
    for p in layer.parameters():
        p.data = (torch.rand(p.shape) * 2 - 1) * 0.7
    q, k, v = uniform(batch, queries, width), uniform(batch, values, kv), uniform(batch, values, kv)
    padding = torch.tensor([[1] * values, [1] * (values - 1) + [0]]) if masked else None
    y, scores = layer(
        q,
        k,
        v,
        key_padding_mask=None if padding is None else padding == 0,
        attn_mask=torch.triu(torch.ones(queries, values, dtype=torch.bool), 1) if causal else None,
        average_attn_weights=False,
    )
    # Leaves of PyTorch, and how they read in Keras's layout.
    parts = [layer.q_proj_weight, layer.k_proj_weight, layer.v_proj_weight, layer.in_proj_bias]
    leaves = [q, v, k, *parts, layer.out_proj.weight, layer.out_proj.bias]
    d_y, d_scores = torch.rand(y.shape) * 2 - 1, torch.rand(scores.shape) * 2 - 1
    grads = torch.autograd.grad((y * d_y).sum() + (scores * d_scores).sum(), leaves)

    def laid_out(tensors):
        wq, wk, wv, bias, wo, bo = tensors
        cut = lambda w: w.t().reshape(w.shape[1], heads, head)
        biases = [part.reshape(heads, head) for part in bias.chunk(3)]
        return [cut(wq), biases[0], cut(wk), biases[1], cut(wv), biases[2], wo.t().reshape(heads, head, width), bo]

    return {
        "layer": "multiHeadAttention",
        "options": {"numHeads": heads, "keyDim": head, "useCausalMask": causal, "returnAttentionScores": True},
        "inputs": [stored(t) for t in leaves[:3]],
        "weights": [stored(t) for t in laid_out(leaves[3:])],
        "outputs": [stored(y), stored(scores)],
        "dOutputs": [stored(d_y), stored(d_scores)],
        "dInputs": [stored(t) for t in grads[:3]],
        "dWeights": [stored(t) for t in laid_out(grads[3:])],
        **({} if padding is None else {"keyMask": padding.tolist()}),
    }


def attention_over_axes(axes, masked, shape_q, shape_v):
    """The einsum equations of Keras's MultiHeadAttention with attention_axes."""
    heads, head = 2, 3
    q, v = uniform(*shape_q), uniform(*shape_v)
    width, rank = shape_q[-1], len(shape_q)
    shapes = [[width, heads, head], [heads, head]] * 3 + [[heads, head, width], [width]]
    weights = [uniform(*shape, scale=0.6) for shape in shapes]
    wq, bq, wk, bk, wv, bv, wo, bo = weights
    target = "".join(chr(ord("a") + i) for i in range(rank - 1))
    source = "".join(chr(ord("p") + i) if i in axes else target[i] for i in range(rank - 1))
    other = "".join(c for i, c in enumerate(target) if i not in axes)
    pair = "".join(target[i] for i in axes) + "".join(source[i] for i in axes)
    project = lambda x, w, b: torch.einsum("...d,dnk->...nk", x, w) + b
    scores = torch.einsum(
        f"{target}nk,{source}nk->{other}n{pair}", project(q, wq, bq) / head**0.5, project(v, wk, bk)
    )
    queries, keys = [shape_q[i] for i in axes], [shape_v[i] for i in axes]
    mask = (torch.rand(shape_q[0], *queries, *keys) < 0.7).double() if masked else None
    if masked:
        for _ in range(len(scores.shape) - len(mask.shape)):
            mask = mask.unsqueeze(1)
        mask[..., 0] = 1
        scores = scores.masked_fill(mask == 0, float("-inf"))
    flat = scores.reshape(*scores.shape[: len(scores.shape) - len(axes)], -1)
    scores = F.softmax(flat, -1).reshape(scores.shape)
    y = torch.einsum(f"{other}n{pair},{source}nk->{target}nk", scores, project(v, wv, bv))
    y = torch.einsum("...nk,nkd->...d", y, wo) + bo
    options = {"numHeads": heads, "keyDim": head, "attentionAxes": axes, "returnAttentionScores": True}
    if len(axes) == rank - 2:
        del options["attentionAxes"]
    made = case("multiHeadAttention", options, [q, v], weights, [y, scores])
    if masked:
        made["attentionMask"] = stored(mask.reshape(shape_q[0], *queries, *keys))
    return made


def mixture(correlated, end, min_scale):
    rows, components, dims = 6, 3, 2
    width = components * (1 + 2 * dims + correlated) + end
    p, y = uniform(rows, width, scale=1.5), uniform(rows, dims)
    target = torch.cat([y, (torch.rand(rows, 1) < 0.5).float()], 1) if end else y
    logits, means, scales, *rest = p.split(
        [components, components * dims, components * dims] + [components] * correlated + [1] * end, -1
    )
    means = means.reshape(rows, components, dims)
    sigma = scales.reshape(rows, components, dims).exp() + min_scale
    if correlated:
        rho = torch.tanh(rest[0])
        cross = rho * sigma[..., 0] * sigma[..., 1]
        covariance = torch.stack(
            [torch.stack([sigma[..., 0] ** 2, cross], -1), torch.stack([cross, sigma[..., 1] ** 2], -1)], -2
        )
        each = D.MultivariateNormal(means, covariance)
    else:
        each = D.Independent(D.Normal(means, sigma), 1)
    loss = -D.MixtureSameFamily(D.Categorical(logits=logits), each).log_prob(y)
    if end:
        loss = loss - D.Bernoulli(logits=rest[-1][:, 0]).log_prob(target[:, dims])
    (gradient,) = torch.autograd.grad(loss.mean(), [p])
    options = {"components": components, "dims": dims, "correlated": correlated, "endOfStroke": end}
    return {
        "options": {**options, "minScale": min_scale},
        "yTrue": stored(target),
        "yPred": stored(p),
        "values": stored(loss),
        "dYPred": stored(gradient),
    }


def main():
    torch.manual_seed(4)
    torch.set_default_dtype(torch.float64)
    data = {
        "layers": [
            normed_lstm([0.0, 0.0]),
            normed_lstm([0.1, 0.5]),
            normed_gru(),
            attention(False, False),
            attention(True, False),
            attention(False, True),
        ],
        "mixtures": [mixture(c, e, m) for c, e, m in ((False, False, 0.0), (True, True, 0.0), (False, True, 0.1))],
    }
    data["layers"] += [
        attention_over_axes([1], False, [2, 3, 2, 4], [2, 5, 2, 4]),
        attention_over_axes([2], True, [2, 3, 2, 4], [2, 3, 4, 4]),
        attention_over_axes([2, 3], True, [1, 2, 1, 2, 3], [1, 2, 2, 2, 3]),
        attention_over_axes([1, 2], False, [1, 2, 3, 4], [1, 3, 2, 4]),
    ]
    path = os.path.join(os.path.dirname(os.path.abspath(__file__)), "sequence-layers.json")
    with open(path, "w", encoding="utf-8") as file:
        file.write(to_json(data))


main()
