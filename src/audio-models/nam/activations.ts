/** The activations of `.nam` files that have an equal here, by their names there. */
export const namActivations: Readonly<Record<string, string>> = {
  Tanh: 'tanh',
  ReLU: 'relu',
  Sigmoid: 'sigmoid',
  SiLU: 'silu',
  Hardswish: 'hardSilu',
  Softsign: 'softsign',
};
