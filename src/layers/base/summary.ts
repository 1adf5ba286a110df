import { totalSize } from '../../autograd/parameter.ts';
import type { Nested } from '../../data/nested.ts';
import { type BatchShape, isShape } from './batch-shape.ts';
import type { AnyLayer } from './layer.ts';

const HEADINGS = ['Layer (type)', 'Output Shape', 'Param #'] as const;

/** Column widths of Keras in a terminal of 80 columns. */
const WIDTHS = [31, 22, 13] as const;

/**
 * The table of layers, output shapes and parameter counts that Keras prints. Long text continues on the next line, as
 * in Keras.
 */
export function summary(model: AnyLayer): string {
  const rows = describeLayers(model);
  const longestWord = (texts: readonly string[]): number =>
    Math.max(0, ...texts.flatMap((text) => text.split(' ').map((word) => word.length)));
  const widths = WIDTHS.map((width, i) => Math.max(width, longestWord(rows.map((row) => row[i]!))));
  const cells = (row: readonly string[]): string[] =>
    row.map((text, i) => (i === 2 ? text.padStart(widths[i]!) : text.padEnd(widths[i]!)));
  const lines = (row: readonly string[]): string[] => {
    const wrapped = row.map((text, i) => wrap(text, widths[i]!));
    const height = Math.max(...wrapped.map((column) => column.length));
    return Array.from(
      { length: height },
      (_, n) => `│ ${cells(wrapped.map((column) => column[n] ?? '')).join(' │ ')} │`,
    );
  };
  const rule = (left: string, line: string, middle: string, right: string): string =>
    left + widths.map((width) => line.repeat(width + 2)).join(middle) + right;
  const total = totalSize(model.weights);
  const trainable = totalSize(model.weights.filter((weight) => weight.trainable));
  return [
    `Model: "${model.name}"`,
    rule('┏', '━', '┳', '┓'),
    `┃ ${cells(HEADINGS).join(' ┃ ')} ┃`,
    rule('┡', '━', '╇', '┩'),
    rows.map((row) => lines(row).join('\n')).join(`\n${rule('├', '─', '┼', '┤')}\n`),
    rule('└', '─', '┴', '┘'),
    ` Total params: ${format(total)} (${bytes(total)})`,
    ` Trainable params: ${format(trainable)} (${bytes(trainable)})`,
    ` Non-trainable params: ${format(total - trainable)} (${bytes(total - trainable)})`,
  ].join('\n');
}

function describeLayers(model: AnyLayer): string[][] {
  const shapes = model.sublayerShapes();
  return model.sublayers.map((layer, i) => [
    `${layer.name} (${layer.className})`,
    shapes[i] ? formatShapes(shapes[i]) : '?',
    layer.isBuilt ? format(totalSize(layer.weights)) : '0 (unbuilt)',
  ]);
}

/** Breaks text into lines of whole words, each at most `width` long. */
function wrap(text: string, width: number): string[] {
  const lines: string[] = [];
  for (const word of text.split(' ')) {
    const last = lines.at(-1);
    if (last !== undefined && last.length + 1 + word.length <= width) lines[lines.length - 1] = `${last} ${word}`;
    else lines.push(word);
  }
  return lines;
}

const format = (n: number): string => n.toLocaleString('en-US');
const formatShapes = (shapes: Nested<BatchShape>): string =>
  isShape(shapes)
    ? `(${shapes.map((n) => n ?? 'None').join(', ')})`
    : `[${Object.values(shapes).map(formatShapes).join(', ')}]`;

/** Size in float32, in the unit that Keras chooses. */
function bytes(parameters: number): string {
  let size = parameters * 4;
  for (const unit of ['B', 'KB', 'MB', 'GB']) {
    if (size < 1024 || unit === 'GB') return `${size.toFixed(2)} ${unit}`;
    size /= 1024;
  }
  return '';
}
