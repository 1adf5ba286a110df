// The names that other formats have for layers, for docs/guides/compatibility.md.

/** `keras.layers` of Keras 3.12, and layers that only Keras 1 and 2 have. Wrappers stand with those they are around. */
export const kerasLayers: readonly string[] = [
  ['Activation', 'ActivityRegularization', 'Add', 'AdditiveAttention', 'AlphaDropout', 'Attention', 'Average'],
  [
    'AveragePooling1D',
    'AveragePooling2D',
    'AveragePooling3D',
    'BatchNormalization',
    'Bidirectional',
    'CategoryEncoding',
  ],
  ['CenterCrop', 'Concatenate', 'Conv1D', 'Conv1DTranspose', 'Conv2D', 'Conv2DTranspose', 'Conv3D', 'Conv3DTranspose'],
  [
    'ConvLSTM1D',
    'ConvLSTM2D',
    'ConvLSTM3D',
    'Cropping1D',
    'Cropping2D',
    'Cropping3D',
    'CuDNNGRU',
    'CuDNNLSTM',
    'Dense',
  ],
  ['DepthwiseConv1D', 'DepthwiseConv2D', 'Discretization', 'Dot', 'Dropout', 'EinsumDense', 'ELU', 'Embedding'],
  ['Flatten', 'GaussianDropout', 'GaussianNoise', 'GlobalAveragePooling1D', 'GlobalAveragePooling2D'],
  ['GlobalAveragePooling3D', 'GlobalMaxPooling1D', 'GlobalMaxPooling2D', 'GlobalMaxPooling3D', 'GroupNormalization'],
  ['GroupQueryAttention', 'GRU', 'GRUCell', 'HashedCrossing', 'Hashing', 'Identity', 'IntegerLookup', 'Lambda'],
  ['LayerNormalization', 'LeakyReLU', 'LocallyConnected1D', 'LocallyConnected2D', 'LSTM', 'LSTMCell', 'Masking'],
  ['Maximum', 'MaxoutDense', 'MaxPooling1D', 'MaxPooling2D', 'MaxPooling3D', 'MelSpectrogram', 'Merge', 'Minimum'],
  ['MultiHeadAttention', 'Multiply', 'Normalization', 'Permute', 'PReLU', 'RandomFlip', 'ReLU', 'RepeatVector'],
  ['Rescaling', 'Reshape', 'Resizing', 'RMSNormalization', 'RNN', 'SeparableConv1D', 'SeparableConv2D', 'SimpleRNN'],
  ['SimpleRNNCell', 'Softmax', 'SpatialDropout1D', 'SpatialDropout2D', 'SpatialDropout3D', 'SpectralNormalization'],
  ['StackedRNNCells', 'STFTSpectrogram', 'StringLookup', 'Subtract', 'TextVectorization', 'ThresholdedReLU'],
  ['TimeDistributed', 'UnitNormalization', 'UpSampling1D', 'UpSampling2D', 'UpSampling3D', 'ZeroPadding1D'],
  ['ZeroPadding2D', 'ZeroPadding3D'],
].flat();

/** The layers of @tensorflow/tfjs-layers 4.22. */
export const tfjsLayers: readonly string[] = [
  ['Activation', 'Add', 'AlphaDropout', 'Average', 'AveragePooling1D', 'AveragePooling2D', 'AveragePooling3D'],
  ['BatchNormalization', 'Bidirectional', 'CategoryEncoding', 'CenterCrop', 'Concatenate', 'Conv1D', 'Conv2D'],
  ['Conv2DTranspose', 'Conv3D', 'Conv3DTranspose', 'ConvLSTM2D', 'ConvLSTM2DCell', 'Cropping2D', 'Dense'],
  ['DepthwiseConv2D', 'Dot', 'Dropout', 'ELU', 'Embedding', 'Flatten', 'GRU', 'GRUCell', 'GaussianDropout'],
  ['GaussianNoise', 'GlobalAveragePooling1D', 'GlobalAveragePooling2D', 'GlobalMaxPooling1D', 'GlobalMaxPooling2D'],
  ['LSTM', 'LSTMCell', 'LayerNormalization', 'LeakyReLU', 'Masking', 'MaxPooling1D', 'MaxPooling2D', 'MaxPooling3D'],
  ['Maximum', 'Minimum', 'Multiply', 'PReLU', 'Permute', 'RNN', 'RandomHeight', 'RandomWidth', 'ReLU', 'RepeatVector'],
  ['Rescaling', 'Reshape', 'Resizing', 'SeparableConv2D', 'SimpleRNN', 'SimpleRNNCell', 'Softmax', 'SpatialDropout1D'],
  ['StackedRNNCells', 'ThresholdedReLU', 'TimeDistributed', 'UpSampling2D', 'ZeroPadding2D'],
].flat();

export const namArchitectures: readonly string[] = [
  ['LSTM', 'WaveNet', 'ConvNet', 'Linear', 'SlimmableContainer', 'CatLSTM', 'CatWaveNet'],
].flat();

/** The layers of RTNeural's model loader. */
export const rtNeuralLayers: readonly string[] = [
  ['dense', 'time-distributed-dense', 'lstm', 'gru', 'conv1d', 'conv1d_stateless', 'conv2d', 'prelu', 'batchnorm'],
  ['batchnorm2d', 'activation'],
].flat();

/** A module by the shapes of its tensors, and how `forward` names it. */
export interface TorchCase {
  readonly tensors: Readonly<Record<string, readonly number[]>>;
  readonly step?: object;
}

const gates = (n: number): Record<string, number[]> => ({
  weight_ih_l0: [n * 4, 3],
  weight_hh_l0: [n * 4, 4],
  bias_ih_l0: [n * 4],
  bias_hh_l0: [n * 4],
});
const reversed = Object.fromEntries(Object.entries(gates(4)).map(([key, shape]) => [`${key}_reverse`, shape]));

/** Modules of PyTorch, read by their names and shapes alone. */
export const torchModules: Readonly<Record<string, TorchCase>> = {
  'nn.LSTM': { tensors: gates(4) },
  'nn.LSTM(bidirectional=True)': { tensors: { ...gates(4), ...reversed } },
  'nn.LSTM(proj_size=2)': { tensors: { ...gates(4), weight_hh_l0: [16, 2], weight_hr_l0: [2, 4] } },
  'nn.GRU': { tensors: gates(3) },
  'nn.RNN': { tensors: gates(1), step: { nonlinearity: 'tanh' } },
  'nn.LSTMCell': {
    tensors: { weight_ih: [16, 3], weight_hh: [16, 4], bias_ih: [16], bias_hh: [16] },
  },
  'nn.Linear': { tensors: { weight: [4, 3], bias: [4] } },
  'nn.Embedding': { tensors: { weight: [7, 3] }, step: { as: 'Embedding' } },
  'nn.LayerNorm': { tensors: { weight: [3], bias: [3] }, step: { as: 'LayerNorm' } },
  'nn.BatchNorm1d': {
    tensors: { weight: [3], bias: [3], running_mean: [3], running_var: [3] },
  },
  'nn.Conv1d': { tensors: { weight: [4, 3, 5], bias: [4] }, step: { as: 'Conv1d' } },
  'nn.Conv2d': { tensors: { weight: [4, 3, 5, 5], bias: [4] }, step: { as: 'Conv2d' } },
  'nn.GroupNorm': { tensors: { weight: [3], bias: [3] } },
  'nn.PReLU': { tensors: { weight: [1] } },
  'nn.MultiheadAttention': {
    tensors: { in_proj_weight: [9, 3], in_proj_bias: [9], 'out_proj.weight': [3, 3], 'out_proj.bias': [3] },
  },
  'weight_norm(nn.Linear)': { tensors: { weight_g: [4, 1], weight_v: [4, 3], bias: [4] } },
  'spectral_norm(nn.Linear)': { tensors: { weight_orig: [4, 3], weight_u: [4], bias: [4] } },
};
