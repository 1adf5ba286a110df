import { ArgumentError } from '../../checks/argument-error.ts';
import { type Shape, sizeOf } from '../../checks/shape.ts';
import type { LayerConfig, SavedLayer } from '../../io/model-file.ts';

/** The layers and weights of a file, while they are collected. */
export class Stack {
  readonly layers: SavedLayer[] = [];
  readonly weights = new Map<string, { shape: Shape; data: Float32Array }>();
  /** Features of the output of the layers so far. */
  width: number;

  constructor(width: number) {
    this.width = width;
  }

  /** Adds a layer with its weights, by their names in it. */
  add(
    className: string,
    options: LayerConfig,
    width: number,
    weights: Readonly<Record<string, [shape: Shape, data: Float32Array]>> = {},
  ): void {
    const first = this.layers.length === 0 && { batchInputShape: [null, null, this.width] };
    const name = `${className.toLowerCase()}_${this.layers.length}`;
    this.layers.push({ className, config: { name, ...first, ...options } });
    for (const [weight, [shape, data]] of Object.entries(weights)) {
      if (data.length !== sizeOf(shape))
        throw new ArgumentError(`'${name}/${weight}' expected ${sizeOf(shape)} numbers`);
      this.weights.set(`${name}/${weight}`, { shape, data });
    }
    this.width = width;
  }
}
