import type { Parameter } from '../../autograd/parameter.ts';
import { isRecording } from '../../autograd/tape.ts';
import { empty, persistent, type Tensor } from '../../autograd/tensor.ts';
import { ArgumentError } from '../../checks/argument-error.ts';
import type { Shape } from '../../checks/shape.ts';
import { reshape, transpose } from '../../ops/shapes/layout.ts';
import { type ElementType, type HostData, hostArray, isFloat } from '../format/element-types.ts';
import { sizeOf } from './room.ts';

/**
 * What decides a value. `Constant`: the file and the shapes of the inputs. `Weights`: the parameters of the model, too.
 * `Input`: the inputs.
 */
export enum Source {
  Constant = 0,
  Weights = 1,
  Input = 2,
}

/**
 * A value of a graph. Floats that training may reach are tensors; integers and strings, which no gradient reaches, are
 * arrays outside linear memory, and so are constants. Booleans are either. Each form is made from the other when an
 * operator asks for it.
 */
export class Value {
  readonly type: ElementType;
  readonly shape: Shape;
  source = Source.Input;
  /** Whether the shape depends on the elements of an input. */
  isOpen = false;
  /** Whether its tensor is used in later steps, too. A constant is. */
  outlivesStep = false;
  #host: HostData | undefined;
  #tensor: Tensor | undefined;
  // The same elements as `[N, …, C]`, for convolutions; the value is `[N, C, …]`.
  #channelsLast: Tensor | undefined;
  /** The parameter that it is, if it is one. */
  parameter: Parameter | undefined;

  /** Whether the elements are outside linear memory. No gradient reaches such a value. */
  readonly isHost: boolean;

  private constructor(type: ElementType, shape: Shape, isHost: boolean) {
    this.type = type;
    this.shape = shape;
    this.isHost = isHost;
  }

  static ofHost(type: ElementType, shape: Shape, data: HostData): Value {
    if (sizeOf(shape) !== data.length)
      throw new ArgumentError(`[${shape}] expected ${sizeOf(shape)} elements, got ${data.length}`);
    const value = new Value(type, shape, true);
    value.#host = data;
    return value;
  }

  static ofTensor(tensor: Tensor, type: ElementType = 'float32'): Value {
    const value = new Value(type, tensor.shape, false);
    value.#tensor = tensor;
    return value;
  }

  /** A value `[N, C, …]` whose elements are stored as `[N, …, C]`. */
  static ofChannelsLast(tensor: Tensor): Value {
    const [batch, ...rest] = tensor.shape as number[];
    const value = new Value('float32', [batch!, rest.pop()!, ...rest], false);
    value.#channelsLast = tensor;
    return value;
  }

  static ofParameter(parameter: Parameter, type: ElementType): Value {
    const value = Value.ofTensor(parameter.tensor, type);
    value.parameter = parameter;
    value.source = Source.Weights;
    return value;
  }

  get size(): number {
    return sizeOf(this.shape);
  }

  get isFloat(): boolean {
    return isFloat(this.type);
  }

  /** Whether a gradient of it is asked for. */
  get isTracked(): boolean {
    return !this.isHost && isRecording([this.#tensor ?? this.#channelsLast]);
  }

  /** Whether the elements are stored with the channels last, and in no other order. */
  get isChannelsLast(): boolean {
    return this.#channelsLast !== undefined && this.#tensor === undefined;
  }

  /** The elements, row-major. */
  get host(): HostData {
    if (this.#host) return this.#host;
    let read: Exclude<HostData, string[]> = this.tensor.toArray();
    if (this.type !== 'float32') {
      const data = hostArray(this.type, read.length);
      data.set(read);
      read = data;
    }
    // A parameter has other values after a step of training.
    if (!this.parameter) this.#host = read;
    return read;
  }

  /** The elements as numbers. Throws `ArgumentError` for strings. */
  get numbers(): Exclude<HostData, string[]> {
    if (this.type === 'string') throw new ArgumentError('expected numbers, got strings');
    return this.host as Exclude<HostData, string[]>;
  }

  /** The only element. */
  get item(): number {
    if (this.size !== 1) throw new ArgumentError(`expected one element, got [${this.shape}]`);
    return this.numbers[0]!;
  }

  /** The elements as f32. The tensor of a constant outlives its step. */
  get tensor(): Tensor {
    if (this.#tensor) return this.#tensor;
    if (this.#channelsLast) {
      const { shape } = this.#channelsLast;
      const axes = [...shape.keys()];
      this.#tensor = transpose(this.#channelsLast, [0, axes.at(-1)!, ...axes.slice(1, -1)]);
    } else {
      const isKept = this.outlivesStep || this.source === Source.Constant;
      const tensor = (isKept ? persistent : empty)(this.shape, { name: 'constant' });
      tensor.dataView().set(this.numbers);
      if (!isKept) return tensor;
      this.#tensor = tensor;
    }
    return this.#tensor;
  }

  /** The elements of `[N, C, …]` as a tensor `[N, …, C]`. */
  get channelsLast(): Tensor {
    if (this.#channelsLast) return this.#channelsLast;
    const axes = [...this.shape.keys()];
    const { tensor } = this;
    // With one channel or one place both orders are the same.
    const isSame = this.shape[1] === 1 || sizeOf(this.shape.slice(2)) === 1;
    const order = [0, ...axes.slice(2), 1];
    const made = isSame
      ? reshape(
          tensor,
          order.map((axis) => this.shape[axis]!),
        )
      : transpose(tensor, order);
    // What outlives a step must not keep a tensor of it.
    if (this.source === Source.Input && !this.outlivesStep) this.#channelsLast = made;
    return made;
  }

  /** A value with the same elements and another shape of as many. */
  reshaped(shape: Shape): Value {
    if (sizeOf(shape) !== this.size)
      throw new ArgumentError(`[${this.shape}] has ${this.size} elements, [${shape}] ${sizeOf(shape)}`);
    return this.isHost
      ? Value.ofHost(this.type, shape, this.host)
      : Value.ofTensor(reshape(this.tensor, shape), this.type);
  }

  /** A copy that outlives the step, if the elements are in linear memory. */
  kept(): Value {
    const copy = Value.ofHost(this.type, this.shape, this.host);
    copy.source = this.source;
    copy.isOpen = this.isOpen;
    return copy;
  }

  /** Frees the tensor of a constant. It is made again if it is asked for. */
  dispose(): void {
    if (!this.isHost) return;
    this.#tensor?.dispose();
    this.#tensor = undefined;
  }
}

/** Integers as a value of int64. */
export const int64 = (numbers: readonly number[], shape: Shape = [numbers.length]): Value =>
  Value.ofHost('int64', shape, Float64Array.from(numbers));
