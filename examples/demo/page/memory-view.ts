import type { CellName, Inspection } from '../protocol.ts';
import { byId, download, setOptions } from './elements.ts';
import {
  type Cursor,
  drawMatrix,
  type Layout,
  layoutFor,
  type Matrix,
  matrixCsv,
  painter,
  scaleOf,
  shown,
} from './heat-map.ts';
import { memoryOrder } from './memory-order.ts';
import { onThemeChange } from './theme.ts';

const quantities: Record<CellName, readonly (readonly [value: string, label: string, meaning: string])[]> = {
  lstm: [
    ['c', 'c, cell state', 'What the cell carries along: c′ = f·c + i·g. Blue is below zero, orange above.'],
    ['f', 'f, forget gate', 'How much of the cell state is kept: 1 remembers all, 0 forgets all.'],
    ['i', 'i, input gate', 'How much of the new candidate is written into the cell state.'],
    ['g', 'g, candidate', 'What would be written into the cell state.'],
    ['o', 'o, output gate', 'How much of the cell state is shown to the outside.'],
    ['h', 'h, output', 'What the layer says: h = o·tanh c. The next step and the next layer see this.'],
  ],
  gru: [
    ['h', 'h, state and output', 'What a GRU carries along and says, in one: h′ = z·h + (1 − z)·g.'],
    ['z', 'z, update gate', 'How much of the old state stays: 1 remembers all, 0 replaces it.'],
    ['r', 'r, reset gate', 'How much of the old state the candidate gets to see.'],
    ['g', 'g, candidate', 'What the state is replaced with.'],
  ],
  rnn: [['h', 'h, state and output', 'All that a simple RNN has: h′ = tanh(xW + hU + b), new at every step.']],
};

/** The heat map of gates and states, and the values that the user reads from it. */
export class MemoryView {
  readonly #inspect: (layer: number, text: string | undefined) => void;
  readonly #quantity = byId<HTMLSelectElement>('quantity');
  readonly #layer = byId<HTMLSelectElement>('layer');
  readonly #order = byId<HTMLSelectElement>('order');
  readonly #read = byId<HTMLInputElement>('read');
  readonly #map = byId('map');
  readonly #canvas = byId<HTMLCanvasElement>('map-canvas');
  #inspection: Inspection | undefined;
  #matrix: Matrix | undefined;
  #layout: Layout | undefined;
  /**
   * The number of the unit that the user pointed at. It is not a row, because rows change with the order. Before that
   * it is the unit of the first row.
   */
  #chosen: number | undefined;
  #column = 0;

  /** @param inspect asks for a layer's quantities on a text, or on the newest sample; `show` is to get them. */
  constructor(inspect: (layer: number, text: string | undefined) => void) {
    this.#inspect = inspect;
    for (const select of [this.#quantity, this.#order]) select.addEventListener('change', () => this.#refresh());
    this.#layer.addEventListener('change', () => this.ask());
    this.#read.addEventListener('input', () => this.ask());
    this.#canvas.addEventListener('pointermove', (event) => this.#point(event));
    this.#canvas.addEventListener('pointerdown', (event) => this.#point(event));
    this.#map.addEventListener('keydown', (event) => this.#walk(event));
    for (const event of ['focus', 'blur']) this.#map.addEventListener(event, () => this.#draw());
    byId('csv').addEventListener('click', () => this.#saveNumbers());
    onThemeChange(() => this.#refresh());
    new ResizeObserver(() => this.#draw()).observe(this.#map);
    this.setModel('lstm', 1);
  }

  setModel(cell: CellName, layers: number): void {
    setOptions(
      this.#quantity,
      quantities[cell].map(([name, label]) => [name, label]),
    );
    setOptions(
      this.#layer,
      Array.from({ length: layers }, (_, i) => [String(i), layers === 1 ? 'the only one' : `${i + 1} of ${layers}`]),
    );
    this.#layer.disabled = layers === 1;
    this.#explain(cell);
  }

  clear(): void {
    this.#inspection = undefined;
    this.#matrix = undefined;
    this.#chosen = undefined;
    this.#canvas.hidden = true;
    byId('map-empty').hidden = false;
    byId('reading').hidden = true;
    byId<HTMLButtonElement>('csv').disabled = true;
  }

  ask(): void {
    this.#inspect(Number(this.#layer.value), this.#read.value || undefined);
  }

  show(inspection: Inspection): void {
    this.#inspection = inspection;
    this.#refresh();
  }

  #explain(cell: CellName): void {
    const meaning = quantities[cell].find(([name]) => name === this.#quantity.value)?.[2] ?? '';
    const skipped = this.#inspection?.skipped ?? [];
    const left =
      skipped.length > 0 ? ` Left out, since the network does not know them: ${skipped.map(shown).join(' ')}` : '';
    byId('quantity-help').textContent = meaning + left;
  }

  #refresh(): void {
    const { quantity } = this;
    const values = this.#inspection?.quantities[quantity];
    if (!this.#inspection || !values) return;
    const { characters, units, cell } = this.#inspection;
    const order =
      this.#order.value === 'slow' ? memoryOrder(this.#inspection) : Array.from({ length: units }, (_, u) => u);
    this.#matrix = { characters, values, units, order, scale: scaleOf(quantity, values) };
    this.#explain(cell);
    if (this.#chosen !== undefined && this.#chosen >= units) this.#chosen = undefined;
    this.#column = Math.min(this.#column, characters.length - 1);
    this.#canvas.hidden = false;
    byId('map-empty').hidden = true;
    byId('reading').hidden = false;
    byId<HTMLButtonElement>('csv').disabled = false;
    this.#map.setAttribute(
      'aria-label',
      `Heat map of ${quantity}: ${units} units by ${characters.length} characters, at step ${this.#inspection.step}`,
    );
    this.#draw();
    this.#tell(false);
  }

  get quantity(): string {
    return this.#quantity.value;
  }

  get #unit(): number {
    return this.#chosen ?? this.#matrix!.order[0]!;
  }

  get #cursor(): Cursor {
    return { row: this.#matrix!.order.indexOf(this.#unit), column: this.#column };
  }

  #draw(): void {
    if (!this.#matrix) return;
    this.#layout = layoutFor(this.#matrix, this.#map.clientWidth);
    // Only a cell that the user has chosen is marked, not the cell where reading starts.
    const isLookedAt = this.#chosen !== undefined || document.activeElement === this.#map;
    drawMatrix(this.#canvas, this.#matrix, this.#layout, isLookedAt ? this.#cursor : undefined);
  }

  #point(event: PointerEvent): void {
    if (!this.#matrix || !this.#layout) return;
    const { cellWidth, cellHeight, top } = this.#layout;
    this.#moveTo({
      row: Math.floor((event.offsetY - top) / cellHeight),
      column: Math.floor(event.offsetX / cellWidth),
    });
  }

  #walk(event: KeyboardEvent): void {
    if (!this.#matrix) return;
    const { row, column } = this.#cursor;
    const last = this.#matrix.characters.length - 1;
    const steps: Record<string, Cursor> = {
      ArrowUp: { row: row - 1, column },
      ArrowDown: { row: row + 1, column },
      ArrowLeft: { row, column: column - 1 },
      ArrowRight: { row, column: column + 1 },
      PageUp: { row: row - 10, column },
      PageDown: { row: row + 10, column },
      Home: { row, column: 0 },
      End: { row, column: last },
    };
    const to = steps[event.key];
    if (!to || event.ctrlKey || event.altKey || event.metaKey) return;
    event.preventDefault();
    this.#moveTo(to);
    const { cellWidth } = this.#layout!;
    const left = this.#column * cellWidth;
    if (left < this.#map.scrollLeft) this.#map.scrollLeft = left;
    const right = left + cellWidth - this.#map.clientWidth;
    if (right > this.#map.scrollLeft) this.#map.scrollLeft = right;
  }

  #moveTo({ row, column }: Cursor): void {
    const { order, characters, units } = this.#matrix!;
    const clamp = (value: number, most: number): number => Math.max(0, Math.min(value, most));
    this.#chosen = order[clamp(row, units - 1)]!;
    this.#column = clamp(column, characters.length - 1);
    this.#draw();
    this.#tell(true);
  }

  /** @param aloud whether a screen reader is to say it: not for what changes by itself. */
  #tell(aloud: boolean): void {
    const { characters, values, units, scale } = this.#matrix!;
    const output = byId('value');
    output.setAttribute('aria-live', aloud ? 'polite' : 'off');
    const value = values[this.#column * units + this.#unit]!;
    output.textContent = `Unit ${this.#unit}, character ${this.#column + 1} ‘${shown(characters[this.#column]!)}’: ${this.quantity} = ${value.toFixed(4)}`;
    // A cell state may exceed the range of the colours.
    const [atMost, atLeast] = this.quantity === 'c' ? ['≤ ', '≥ '] : ['', ''];
    byId('scale-low').textContent = `${atMost}${Number(scale.low.toFixed(1))}`;
    byId('scale-high').textContent = `${atLeast}${Number(scale.high.toFixed(1))}`;
    byId('scale-bar').classList.toggle('gate', scale.low === 0);
    this.#colourText();
  }

  /** The text again. The background of each character is the colour of the unit after it has read the character. */
  #colourText(): void {
    const { characters, values, units, scale } = this.#matrix!;
    const paint = painter(scale);
    const line = byId('unit-text');
    while (line.children.length > characters.length) line.lastElementChild!.remove();
    while (line.children.length < characters.length) line.append(document.createElement('span'));
    characters.forEach((character, t) => {
      const span = line.children[t] as HTMLElement;
      const [red, green, blue] = paint(values[t * units + this.#unit]!);
      span.style.background = `rgb(${red} ${green} ${blue})`;
      // The colour of the letter depends on the luminance of the background, so it stays legible.
      span.style.color = 0.3 * red + 0.59 * green + 0.11 * blue > 128 ? '#111' : '#fff';
      span.textContent = character === '\n' ? '↵' : character;
    });
  }

  #saveNumbers(): void {
    if (!this.#matrix || !this.#inspection) return;
    const { cell, layer, step } = this.#inspection;
    download(`${cell}-layer-${layer + 1}-${this.quantity}-step-${step}.csv`, matrixCsv(this.#matrix), 'text/csv');
  }
}
