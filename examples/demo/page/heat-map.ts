// A matrix of values as coloured cells: units downward, characters to the right.
import { colour, type Rgb, rgb } from './theme.ts';

/** The range of a colour scale. `low` is 0 for a gate. */
export interface Scale {
  low: number;
  high: number;
}

/** One quantity of an inspection, with its units in the order to show. */
export interface Matrix {
  characters: readonly string[];
  /** `[T, H]`, row-major. */
  values: Float32Array;
  units: number;
  order: readonly number[];
  scale: Scale;
}

const GATES = new Set(['i', 'f', 'o', 'z', 'r']);

export function scaleOf(quantity: string, values: Float32Array): Scale {
  if (GATES.has(quantity)) return { low: 0, high: 1 };
  if (quantity !== 'c') return { low: -1, high: 1 };
  // A few units that count have far larger values. With them on the scale all other units would look alike.
  const usual = values.map(Math.abs).sort()[Math.floor(0.95 * values.length)]!;
  const high = Math.max(usual, 1);
  return { low: -high, high };
}

const mix = (a: Rgb, b: Rgb, share: number): Rgb =>
  [0, 1, 2].map((i) => a[i]! + (b[i]! - a[i]!) * share) as unknown as Rgb;

/** The colours of a scale in the present theme of the page. */
export function painter({ low, high }: Scale): (value: number) => Rgb {
  const [below, zero, above] = ['heat-low', 'heat-zero', 'heat-high'].map(rgb) as [Rgb, Rgb, Rgb];
  return (value) =>
    value < 0 ? mix(zero, below, Math.min(value / low, 1)) : mix(zero, above, Math.min(value / high, 1));
}

/** The layout of the canvas, in CSS pixels. */
export interface Layout {
  cellWidth: number;
  cellHeight: number;
  /** Height of the row of characters above the cells. */
  top: number;
}

const TOP = 20;
const TALLEST = 400;

export function layoutFor({ characters, units }: Matrix, width: number): Layout {
  const cellWidth = Math.max(10, width / characters.length);
  return { cellWidth, cellHeight: Math.min(16, Math.max(1, Math.floor(TALLEST / units))), top: TOP };
}

/** The text that shows a character, also one that is invisible. */
export const shown = (character: string): string => ({ '\n': '↵', ' ': '·', '\t': '→' })[character] ?? character;

export interface Cursor {
  /** Row of the map, counted from the top. */
  row: number;
  column: number;
}

export function drawMatrix(
  canvas: HTMLCanvasElement,
  matrix: Matrix,
  layout: Layout,
  cursor: Cursor | undefined,
): void {
  const { characters, units } = matrix;
  const { cellWidth, cellHeight, top } = layout;
  const [width, height] = [characters.length * cellWidth, top + units * cellHeight];
  const ratio = devicePixelRatio;
  if (canvas.width !== Math.round(width * ratio) || canvas.height !== Math.round(height * ratio)) {
    canvas.width = Math.round(width * ratio);
    canvas.height = Math.round(height * ratio);
    canvas.style.width = `${width}px`;
    canvas.style.height = `${height}px`;
  }
  const context = canvas.getContext('2d')!;
  context.setTransform(ratio, 0, 0, ratio, 0, 0);
  context.clearRect(0, 0, width, height);
  context.imageSmoothingEnabled = false;
  context.drawImage(pixels(matrix), 0, top, width, height - top);

  context.font = `${Math.min(12, cellWidth + 2)}px ${colour('mono')}`;
  context.textAlign = 'center';
  context.textBaseline = 'middle';
  characters.forEach((character, t) => {
    context.fillStyle = colour(t === cursor?.column ? 'ink' : 'soft');
    context.fillText(shown(character), (t + 0.5) * cellWidth, top / 2);
  });
  if (!cursor) return;
  // A light line inside a dark one is visible on any colour. Both stay inside the canvas, because half a line would
  // look like an error.
  const outline = (left: number, above: number, right: number, below: number): void => {
    for (const [name, line] of [
      ['ink', 3],
      ['card', 1],
    ] as const) {
      context.strokeStyle = colour(name);
      context.lineWidth = line;
      const [x, y] = [Math.max(1.5, left), Math.max(1.5, above)];
      context.strokeRect(x, y, Math.min(width - 1.5, right) - x, Math.min(height - 1.5, below) - y);
    }
  };
  const [row, column] = [top + cursor.row * cellHeight, cursor.column * cellWidth];
  outline(0, row, width, row + cellHeight);
  outline(column, 0, column + cellWidth, height);
}

/** One pixel for each cell. */
function pixels({ characters, values, units, order, scale }: Matrix): OffscreenCanvas {
  const paint = painter(scale);
  const picture = new OffscreenCanvas(characters.length, units);
  const context = picture.getContext('2d')!;
  const image = context.createImageData(characters.length, units);
  let at = 0;
  for (const unit of order) {
    for (let t = 0; t < characters.length; t++) {
      const [red, green, blue] = paint(values[t * units + unit]!);
      image.data.set([red, green, blue, 255], at);
      at += 4;
    }
  }
  context.putImageData(image, 0, 0);
  return picture;
}

/** The numbers as comma-separated values: one line for each unit, by number, and one column for each character. */
export function matrixCsv({ characters, values, units }: Matrix): string {
  const quote = (text: string): string => `"${text.replaceAll('"', '""')}"`;
  const lines = [['unit', ...characters.map(quote)].join(',')];
  for (let u = 0; u < units; u++) {
    lines.push([u, ...characters.map((_, t) => values[t * units + u]!)].join(','));
  }
  return `${lines.join('\r\n')}\r\n`;
}
