// Activations as expressions of Python.

/** The expression of each activation, with x in place of its argument. */
const expressions: Readonly<Record<string, string>> = {
  relu: 'F.relu(x)',
  sigmoid: 'torch.sigmoid(x)',
  tanh: 'torch.tanh(x)',
  softmax: 'F.softmax(x, -1)',
  relu6: 'F.relu6(x)',
  leakyRelu: 'F.leaky_relu(x, 0.2)',
  elu: 'F.elu(x)',
  selu: 'F.selu(x)',
  celu: 'F.celu(x)',
  gelu: 'F.gelu(x)',
  geluTanh: 'F.gelu(x, approximate="tanh")',
  softplus: 'F.softplus(x)',
  softsign: 'F.softsign(x)',
  silu: 'F.silu(x)',
  swish: 'F.silu(x)',
  hardSigmoid: 'F.hardsigmoid(x)',
  hardSigmoid2: 'torch.clamp(0.2 * x + 0.5, 0, 1)',
  hardSilu: 'F.hardswish(x)',
  hardSwish: 'F.hardswish(x)',
  mish: 'F.mish(x)',
  exponential: 'torch.exp(x)',
  logSigmoid: 'F.logsigmoid(x)',
  hardTanh: 'F.hardtanh(x)',
  tanhShrink: 'F.tanhshrink(x)',
  softShrink: 'F.softshrink(x)',
  hardShrink: 'F.hardshrink(x)',
  squareplus: '(x + torch.sqrt(x * x + 4)) / 2',
  logSoftmax: 'F.log_softmax(x, -1)',
};

/** The expression of an activation; undefined for a function of the caller. `linear` has the expression `x`. */
export const activationOf = (name: unknown): string | undefined =>
  name === undefined || name === 'linear'
    ? 'x'
    : typeof name === 'string' && Object.hasOwn(expressions, name)
      ? expressions[name]
      : undefined;
