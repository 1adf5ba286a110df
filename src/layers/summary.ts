import type { AnyLayer, BatchShape, Layer } from './layer.ts';

const HEADINGS = ['Layer (type)', 'Output Shape', 'Param #'] as const;

/** Keras's table of layers, output shapes and parameter counts. */
export function summary(model: AnyLayer): string {
  const rows = describeLayers(model);
  const widths = HEADINGS.map((heading, i) =>
    Math.max([31, 22, 13][i]!, heading.length, ...rows.map((row) => row[i]!.length)),
  );
  const cells = (row: readonly string[]): string[] =>
    row.map((text, i) => (i === 2 ? text.padStart(widths[i]!) : text.padEnd(widths[i]!)));
  const rule = (left: string, line: string, middle: string, right: string): string =>
    left + widths.map((width) => line.repeat(width + 2)).join(middle) + right;
  const total = count(model.weights);
  const trainable = count(model.weights.filter((weight) => weight.trainable));
  return [
    `Model: "${model.name}"`,
    rule('┏', '━', '┳', '┓'),
    `┃ ${cells(HEADINGS).join(' ┃ ')} ┃`,
    rule('┡', '━', '╇', '┩'),
    rows.map((row) => `│ ${cells(row).join(' │ ')} │`).join(`\n${rule('├', '─', '┼', '┤')}\n`),
    rule('└', '─', '┴', '┘'),
    ` Total params: ${format(total)} (${bytes(total)})`,
    ` Trainable params: ${format(trainable)} (${bytes(trainable)})`,
    ` Non-trainable params: ${format(total - trainable)} (${bytes(total - trainable)})`,
  ].join('\n');
}

function describeLayers(model: AnyLayer): string[][] {
  let shape: BatchShape | undefined = model.batchInputShape;
  return model.sublayers.map((layer) => {
    shape = shape && layer.outputShape(shape);
    return [
      `${layer.name} (${layer.className})`,
      shape ? formatKerasShape(shape) : '?',
      layer.isBuilt ? format(count(layer.weights)) : '0 (unbuilt)',
    ];
  });
}

const count = (weights: Layer['weights']): number => weights.reduce((sum, weight) => sum + weight.size, 0);
const format = (n: number): string => n.toLocaleString('en-US');
const formatKerasShape = (shape: BatchShape): string => `(${shape.map((n) => n ?? 'None').join(', ')})`;

/** float32 size, in the unit that Keras picks. */
function bytes(parameters: number): string {
  let size = parameters * 4;
  for (const unit of ['B', 'KB', 'MB', 'GB']) {
    if (size < 1024 || unit === 'GB') return `${size.toFixed(2)} ${unit}`;
    size /= 1024;
  }
  return '';
}
