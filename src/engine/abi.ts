/**
 * The binary interface of the kernels: the exports of `assembly/index.ts` with their types.
 *
 * Kernels take only numbers. `Ptr` is a byte address in linear memory, aligned to 4 bytes. Counts and strides are in
 * elements, not bytes. Matrices are row-major, and dense if they have no stride. Strides of `gemm`'s operands and of
 * `col_sum_wide` may be negative. No kernel allocates. A count of zero returns at once. Outputs may not alias inputs
 * unless the line says "in place".
 */
export type Ptr = number;

/** The initial value of C in `gemm`. With `Zero` and `Bias` the old content of C is never read. */
export const Init = { Zero: 0, Accumulate: 1, Bias: 2 } as const;

/**
 * Numbers of the elementwise functions of one argument. Those from LeakyRelu (slope 0.2) on: assembly/activation.ts.
 */
export const Unary = {
  Neg: 0,
  Abs: 1,
  Square: 2,
  Sqrt: 3,
  Reciprocal: 4,
  Exp: 5,
  Log: 6,
  Sigmoid: 7,
  Tanh: 8,
  Relu: 9,
  LeakyRelu: 10,
  Relu6: 11,
  Elu: 12,
  Selu: 13,
  Gelu: 14,
  GeluTanh: 15,
  Softplus: 16,
  Softsign: 17,
  Silu: 18,
  HardSigmoid: 19,
  HardSilu: 20,
  Mish: 21,
} as const;

/** Elementwise functions of two arguments. */
export const Binary = { Add: 0, Sub: 1, Mul: 2, Div: 3, Max: 4, Min: 5 } as const;

/** Activation of the SimpleRNN kernels. */
export const RnnActivation = { Linear: 0, Tanh: 1, Relu: 2 } as const;

/** What `masked_rows` does to a masked row. */
export const Masked = { Zero: 0, Copy: 1, Add: 2 } as const;

/** The kinds of records of `stream`. assembly/stream.ts lists the words of a record. */
export const StreamKind = {
  Embedding: 0,
  Dense: 1,
  Unary: 2,
  Softmax: 3,
  Lstm: 4,
  GruAfter: 5,
  GruBefore: 6,
  Rnn: 7,
} as const;

/** Added to the kind of a record if its W and U are packed by `gemm_int8_pack`. */
export const STREAM_INT8 = 256;

/** The kernels of optimizers: one update rule each, and the sum of squares for norms. */
export const optimizerKernels = [
  'sum_squares',
  'sgd',
  'rmsprop',
  'adam',
  'nadam',
  'adamax',
  'lion',
  'adadelta',
  'adagrad',
] as const satisfies readonly (keyof Kernels)[];

/** Columns of a panel of packed B: `NR` of assembly/gemm/microkernel.ts. */
export const PANEL_COLUMNS = 16;

/**
 * The largest number of rows of A for which `gemv` is faster than `gemm`. Up to this batch size, the `stream` kernel
 * takes W and U packed for `gemv`.
 */
export const MOST_GEMV_ROWS = 2;

export interface Kernels {
  /** Address of the first byte that the kernels do not use. TypeScript owns the memory from here on. */
  heapBase(): Ptr;

  // gemm ---------------------------------------------------------------------------------------------------------
  /** Floats that `gemm_pack_b` writes for a `[k, n]` operand. */
  gemm_packed_size(k: number, n: number): number;
  /** Floats of scratch that one call of `gemm` may use, whatever its sizes. */
  gemm_scratch_size(): number;
  /** Packs B `[k, n]`, element (p, j) at `b + 4·(p·rsB + j·csB)`, into column panels padded with zeros. */
  gemm_pack_b(k: number, n: number, b: Ptr, rsB: number, csB: number, packed: Ptr): void;
  /**
   * C ← init + A·B for A `[m, k]` with strides (rsA, csA), B packed by `gemm_pack_b`, C `[m, n]` with row stride rsC.
   * init is 0, C itself, or the row `bias` `[n]` (see `Init`); `bias` is read only for `Init.Bias`. Every element of C
   * starts at its init and takes one multiply-add for each k, in ascending order, for any m and n. So a caller may
   * split rows or panels and gets the same bits.
   */
  gemm(
    m: number,
    n: number,
    k: number,
    a: Ptr,
    rsA: number,
    csA: number,
    packed: Ptr,
    c: Ptr,
    rsC: number,
    init: number,
    bias: Ptr,
    scratch: Ptr,
  ): void;
  /**
   * Whether `gemm` computes by wide tiles: 1 or 0. They are faster where the engine joins two vectors into one of 256
   * bits, and slower elsewhere. No bit of a result depends on it.
   */
  set_wide(on: number): void;
  /** Packs B `[k, n]` with row stride rsB for `gemv`, in as many floats as `gemm_pack_b` does. */
  gemv_pack_b(k: number, n: number, b: Ptr, rsB: number, packed: Ptr): void;
  /**
   * The product of `gemm` with the same bits, for m up to `MOST_GEMV_ROWS`. A has dense rows with row stride rsA, and B
   * is packed by `gemv_pack_b`.
   */
  gemv(
    m: number,
    n: number,
    k: number,
    a: Ptr,
    rsA: number,
    packed: Ptr,
    c: Ptr,
    rsC: number,
    init: number,
    bias: Ptr,
  ): void;

  /** Bytes, a multiple of 16, that `gemm_int8_pack` writes for a `[k, n]` operand. k is at most 32,768. */
  gemm_int8_packed_size(k: number, n: number): number;
  /**
   * Packs B, given as in `gemm_pack_b`, with one byte per element and one scale per column. `packed` is 4-byte aligned.
   */
  gemm_int8_pack(k: number, n: number, b: Ptr, rsB: number, csB: number, packed: Ptr): void;
  /**
   * C ← init + A·B for A `[m, k]` with row stride rsA and B packed by `gemm_int8_pack`. The other arguments are those
   * of `gemm`, with the same size of scratch. B is rounded to 8 bits, and A to at most 14 bits with one scale per row.
   * The sums are exact, so every build gives the same bits, for any m and n.
   */
  gemm_int8(
    m: number,
    n: number,
    k: number,
    a: Ptr,
    rsA: number,
    packed: Ptr,
    c: Ptr,
    rsC: number,
    init: number,
    bias: Ptr,
    scratch: Ptr,
  ): void;

  // cells: one time step; `rows` is the batch, H the units; states and gradients are flushed (kernels.md) -------------
  /**
   * gates `[rows, 4H]` (i f c o): pre-activations in, activated out, in place; c, h `[rows, H]` out. c may be cPrev.
   * act: `Unary.Tanh` or `Unary.Relu`. peephole `[3, H]`, 0 for none: + p_i∘cPrev, p_f∘cPrev and p_o∘c before the gates
   * i, f and o are activated.
   */
  lstm_forward(rows: number, units: number, act: number, peephole: Ptr, gates: Ptr, cPrev: Ptr, c: Ptr, h: Ptr): void;
  /**
   * gates: activated in, dGates (of pre-activations) out, in place; dc: ∂L/∂c_t from later steps in, ∂L/∂c_{t−1} out,
   * in place. dh is all of ∂L/∂h_t. Backward of every cell flushes dh in place.
   */
  lstm_backward(
    rows: number,
    units: number,
    act: number,
    peephole: Ptr,
    gates: Ptr,
    cPrev: Ptr,
    c: Ptr,
    dh: Ptr,
    dc: Ptr,
  ): void;
  /**
   * From dGates of `lstm_backward`: dPeephole += (Σ dI∘cPrev, Σ dF∘cPrev, Σ dO∘c), rows in ascending order.
   */
  lstm_peephole_weights(rows: number, units: number, gates: Ptr, cPrev: Ptr, c: Ptr, dPeephole: Ptr): void;
  /**
   * GRU, reset after. gates `[rows, 3H]` (z r h): input side pre-activations in, activated out, in place. rec is
   * `[rows, 3H]`: h_{t−1}·U + recurrent bias. q `[rows, H]` out: the third block of rec, saved for backward. h out may
   * be hPrev.
   */
  gru_after_forward(rows: number, units: number, gates: Ptr, rec: Ptr, q: Ptr, hPrev: Ptr, h: Ptr): void;
  /** gates: activated in, dGates of the input side out; q in, out dq (candidate's recurrent side); dhPrev += dh·z. */
  gru_after_backward(rows: number, units: number, gates: Ptr, q: Ptr, hPrev: Ptr, dh: Ptr, dhPrev: Ptr): void;
  /** GRU, reset before, first half: activates z and r of gates `[rows, 3H]` in place; rh = r·hPrev `[rows, H]`. */
  gru_before_gates(rows: number, units: number, gates: Ptr, hPrev: Ptr, rh: Ptr): void;
  /** Second half: activates the candidate in place; h = z·hPrev + (1−z)·candidate (h may be hPrev). */
  gru_before_output(rows: number, units: number, gates: Ptr, hPrev: Ptr, h: Ptr): void;
  /**
   * Backward of the second half: dz and d(candidate), of pre-activations, replace z and candidate. r is unchanged.
   * dhPrev += dh·z.
   */
  gru_before_output_backward(rows: number, units: number, gates: Ptr, hPrev: Ptr, dh: Ptr, dhPrev: Ptr): void;
  /** Backward of the first half: drh = ∂L/∂(r·hPrev); dr (of pre-activation) replaces r; dhPrev += drh·r. */
  gru_before_gates_backward(rows: number, units: number, gates: Ptr, hPrev: Ptr, drh: Ptr, dhPrev: Ptr): void;
  /** h = act(pre), `count` elements, may be in place; act from `RnnActivation`. */
  rnn_forward(count: number, act: number, pre: Ptr, h: Ptr): void;
  /** dPre = dh · act′ from the output h; may be in place on h. */
  rnn_backward(count: number, act: number, h: Ptr, dh: Ptr, dPre: Ptr): void;

  /**
   * For each row i with mask[i] = 0: y[i, :] = 0, y[i, :] = x[i, :] or y[i, :] += x[i, :], by `Masked`. The other rows
   * are unchanged.
   */
  masked_rows(operation: number, rows: number, cols: number, mask: Ptr, x: Ptr, y: Ptr): void;

  // streaming ---------------------------------------------------------------------------------------------------------
  /**
   * Runs a stack of layers `steps` times. `program` has one record of 16 words per layer. Step s reads its input at
   * input + s·inputBytes and writes the output of the stack to output + s·outputBytes.
   */
  stream(
    program: Ptr,
    records: number,
    steps: number,
    input: Ptr,
    inputBytes: number,
    output: Ptr,
    outputBytes: number,
  ): void;

  // elementwise: all may be in place ----------------------------------------------------------------------------------
  fill(count: number, value: number, y: Ptr): void;
  /** y = alpha·x */
  scale(count: number, alpha: number, x: Ptr, y: Ptr): void;
  /** y += alpha·x */
  axpy(count: number, alpha: number, x: Ptr, y: Ptr): void;
  /** y = f(x); f from `Unary`. */
  unary(count: number, f: number, x: Ptr, y: Ptr): void;
  /**
   * dx = dy·f′ (accumulate = 0) or dx += dy·f′ (1); reads x and y = f(x) as f needs. Reciprocal, Exp, Sigmoid, Tanh,
   * Sqrt use y, the others x. Relu′(0) = 0, Abs′(0) = 0.
   */
  unary_backward(count: number, f: number, x: Ptr, y: Ptr, dy: Ptr, dx: Ptr, accumulate: number): void;
  /**
   * y[i, j] = f(a[i·outerA + j·innerA], b[i·outerB + j·innerB]) for i < outer, j < inner. Inner strides are 0 or 1,
   * outer strides are any number: a row, a column or a scalar broadcasts without a copy. f from `Binary`. y is dense.
   */
  binary(
    f: number,
    outer: number,
    inner: number,
    a: Ptr,
    outerA: number,
    innerA: number,
    b: Ptr,
    outerB: number,
    innerB: number,
    y: Ptr,
  ): void;
  /**
   * y = a where mask is not 0, else b. Elements have 4 bytes of either dtype and are copied bit by bit. mask is f32 or
   * i32. Strides of a and b are 0 or 1.
   */
  select(count: number, mask: Ptr, a: Ptr, strideA: number, b: Ptr, strideB: number, y: Ptr): void;
  /**
   * Copies `[rows, cols]` from row stride ldx to row stride ldy. ldx may be negative, or 0, which repeats a row. Not
   * allowed in place.
   */
  copy_2d(rows: number, cols: number, x: Ptr, ldx: number, y: Ptr, ldy: number): void;
  /** y[j, i, :] = x[i, j, :] for x `[a, b, inner]`, 4-byte elements of either dtype. Not in place. */
  swap_axes(a: number, b: number, inner: number, x: Ptr, y: Ptr): void;

  // reductions --------------------------------------------------------------------------------------------------------
  /** Sum in float64. The order of additions depends on count only. */
  sum(count: number, x: Ptr): number;
  /** Sum of squares in float64. */
  sum_squares(count: number, x: Ptr): number;
  /** Σ x·y in float64. */
  dot(count: number, x: Ptr, y: Ptr): number;
  /** y[j] = Σ_i x[i, j] (accumulate = 0) or y[j] += …; rows in ascending order for each column. */
  col_sum(rows: number, cols: number, x: Ptr, ldx: number, y: Ptr, accumulate: number): void;
  /**
   * sums[j] += Σ_i x[i, j] for sums in float64; rows in ascending order of address, or descending for a negative ldx.
   */
  col_sum_wide(rows: number, cols: number, x: Ptr, ldx: number, sums: Ptr): void;
  /** y[i] = Σ_j x[i, j], or += . */
  row_sum(rows: number, cols: number, x: Ptr, ldx: number, y: Ptr, accumulate: number): void;
  row_max(rows: number, cols: number, x: Ptr, y: Ptr): void;
  /** out i32: index of each row's first maximum. */
  argmax(rows: number, cols: number, x: Ptr, out: Ptr): void;
  /** 1 if every element is finite, else 0. */
  all_finite(count: number, x: Ptr): number;

  // softmax -----------------------------------------------------------------------------------------------------------
  /** y = softmax of each row of x; in place allowed. */
  softmax(rows: number, cols: number, x: Ptr, y: Ptr): void;
  /** y = log softmax of each row; in place allowed. */
  log_softmax(rows: number, cols: number, x: Ptr, y: Ptr): void;
  /** dx (+)= y·(dy − Σ y·dy) per row. */
  softmax_backward(rows: number, cols: number, y: Ptr, dy: Ptr, dx: Ptr, accumulate: number): void;
  /**
   * loss[i] = −log softmax(logits[i])[targets[i]]; dLogits = scale·weights[i]·(softmax(logits[i]) − onehot(targets[i]))
   * unless dLogits is 0. dLogits may be logits, in place. weights 0 means all ones. targets i32 in [0, cols).
   */
  softmax_cross_entropy(
    rows: number,
    cols: number,
    logits: Ptr,
    targets: Ptr,
    weights: Ptr,
    scale: number,
    loss: Ptr,
    dLogits: Ptr,
  ): void;

  // normalization -----------------------------------------------------------------------------------------------------
  /**
   * y = γ·(x − μ)·r + β per row, r = 1/sqrt(σ² + ε); gamma and beta are `[cols]` or 0; stats `[rows, 2]` out: μ, r. In
   * place allowed.
   */
  layer_norm(rows: number, cols: number, epsilon: number, x: Ptr, gamma: Ptr, beta: Ptr, y: Ptr, stats: Ptr): void;
  /**
   * dx (+)= the gradient of x; products `[rows, cols]` out: dy·(x − μ)·r, whose column sums are the gradient of gamma.
   */
  layer_norm_backward(
    rows: number,
    cols: number,
    x: Ptr,
    gamma: Ptr,
    stats: Ptr,
    dy: Ptr,
    dx: Ptr,
    accumulate: number,
    products: Ptr,
  ): void;

  // connectionist temporal classification -----------------------------------------------------------------------------
  /**
   * losses[i] = −ln P(labels[i] | logProbs[i]). logProbs is `[rows, steps, classes]`; row i uses its first
   * inputLengths[i] steps. labels is i32 `[rows, width]`; row i uses its first labelLengths[i] labels, each in [0,
   * classes) and not `blank`. gradient is 0 for none, or has the shape of logProbs: e^logProbs in,
   * ∂losses[i]/∂logits[i] out, which is 0 after the used steps and where the loss is ∞. scratch: 9·steps·(2·width + 1)
   * elements, not used after the call.
   */
  ctc(
    rows: number,
    steps: number,
    classes: number,
    logProbs: Ptr,
    inputLengths: Ptr,
    width: number,
    labels: Ptr,
    labelLengths: Ptr,
    blank: number,
    scratch: Ptr,
    losses: Ptr,
    gradient: Ptr,
  ): void;

  // embedding ---------------------------------------------------------------------------------------------------------
  /** Index of the first id outside [0, limit), or −1 when all are inside. */
  first_invalid_id(count: number, ids: Ptr, limit: number): number;
  /** y[i, :] = table[ids[i], :] (accumulate = 0) or += (1). */
  gather(rows: number, cols: number, table: Ptr, ids: Ptr, y: Ptr, accumulate: number): void;
  /** dTable[ids[i], :] += dy[i, :], rows in ascending order. */
  scatter_add(rows: number, cols: number, ids: Ptr, dy: Ptr, dTable: Ptr): void;

  // random: element i depends on a seed and a counter + i only --------------------------------------------------------
  /**
   * y = x·m/(1−rate), m = 0 with probability rate; the mask is a function of the seed (two u32 halves) and the
   * element's counter. The same call on dy is backward. In place allowed.
   */
  dropout(count: number, rate: number, seedLow: number, seedHigh: number, counter: number, x: Ptr, y: Ptr): void;
  /**
   * y[i] = low + scale·n[i]. n[i] in [0, 2⁵³) is made of the words `call` + 2i and `call` + 2i + 1 of a stream. A word
   * depends only on its number and on the `mixed` seed of the stream, both modulo 2³². So n[i]·2⁻⁵³ has the bits of
   * `nextUniform` of that stream.
   */
  hash_uniform(count: number, mixed: number, call: number, low: number, scale: number, y: Ptr): void;

  // optimizers: p parameters, g gradient (multiplied by gradScale when read), Keras's rules ---------------------------
  // They work on whole vectors: buffers end with a multiple of 4 floats. Up to 3 floats after the last element change.
  /**
   * momentum = 0: p −= lr·g, and v is not used. Otherwise v = momentum·v − lr·g, and then p += v, or with nesterov p +=
   * momentum·v − lr·g.
   */
  sgd(count: number, p: Ptr, g: Ptr, v: Ptr, gradScale: number, lr: number, momentum: number, nesterov: number): void;
  /**
   * v = rho·v + (1−rho)·g²; denominator v − mg² when centered (mg = rho·mg + (1−rho)·g); step = lr·g/sqrt(denominator +
   * ε); momentum > 0: mom = momentum·mom + step, p −= mom; else p −= step. mom and mg may be 0 if they are not used.
   */
  rmsprop(
    count: number,
    p: Ptr,
    g: Ptr,
    v: Ptr,
    mom: Ptr,
    mg: Ptr,
    gradScale: number,
    lr: number,
    rho: number,
    momentum: number,
    epsilon: number,
  ): void;
  /**
   * m += (g−m)(1−β1); v += (g²−v)(1−β2); p −= alpha·m/(sqrt(v)+ε), where alpha = lr·sqrt(1−β2^t)/(1−β1^t); first p −=
   * decay·p where decay = lr·weightDecay (0 for Adam). AMSGrad if top is not 0: then top = max(top, v), and the root is
   * that of top.
   */
  adam(
    count: number,
    p: Ptr,
    g: Ptr,
    m: Ptr,
    v: Ptr,
    top: Ptr,
    gradScale: number,
    alpha: number,
    beta1: number,
    beta2: number,
    epsilon: number,
    decay: number,
  ): void;
  /** m, v as in `adam`; p −= (alpha·m + alphaG·g)/(sqrt(v)+ε). */
  nadam(
    count: number,
    p: Ptr,
    g: Ptr,
    m: Ptr,
    v: Ptr,
    gradScale: number,
    alpha: number,
    alphaG: number,
    beta1: number,
    beta2: number,
    epsilon: number,
  ): void;
  /** m += (g−m)(1−β1); u = max(β2·u, |g|); p −= alpha·m/(u+ε), where alpha = lr/(1−β1^t). */
  adamax(
    count: number,
    p: Ptr,
    g: Ptr,
    m: Ptr,
    u: Ptr,
    gradScale: number,
    alpha: number,
    beta1: number,
    beta2: number,
    epsilon: number,
  ): void;
  /** p −= lr·sign(β1·m + (1−β1)·g), sign(0) = 0; then m = β2·m + (1−β2)·g. */
  lion(count: number, p: Ptr, g: Ptr, m: Ptr, gradScale: number, lr: number, beta1: number, beta2: number): void;
  /** a = rho·a + (1−rho)·g²; step = sqrt(d + ε)/sqrt(a + ε)·g; d = rho·d + (1−rho)·step²; p −= lr·step. */
  adadelta(
    count: number,
    p: Ptr,
    g: Ptr,
    a: Ptr,
    d: Ptr,
    gradScale: number,
    lr: number,
    rho: number,
    epsilon: number,
  ): void;
  /** a += g²; p −= lr·g/sqrt(a + ε). */
  adagrad(count: number, p: Ptr, g: Ptr, a: Ptr, gradScale: number, lr: number, epsilon: number): void;
}
