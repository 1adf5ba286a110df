// Reports as text for terminals and for `print` of engine shells.
import type { BenchReport, Comparison } from '../results.ts';
import { comparisonLayout } from './comparison.ts';
import { type Column, type Layout, REFERENCE, type Row, reportLayout, type Table, type Tone } from './layout.ts';

export interface TerminalOptions {
  /** Whether to use ANSI colours. Default: no. */
  color?: boolean;
  /** Columns of the terminal. Default: 80. */
  width?: number;
}

/** The report of a run as lines of text, the last one without a newline. */
export const terminalReport = (report: BenchReport, options: TerminalOptions = {}): string =>
  draw(reportLayout(report), options);

/** A comparison as lines of text: the worst workload first, and a sentence at the end. */
export const terminalComparison = (comparison: Comparison, options: TerminalOptions = {}): string =>
  draw(comparisonLayout(comparison), options);

const GAP = 2;
const [LEAST_BAR, LONGEST_BAR] = [8, 32];
const LEAST_NAME = 12;

type Style = 'bold' | 'dim' | 'red' | 'yellow' | 'green' | 'cyan';
const CODES: Record<Style, string> = { bold: '1', dim: '2', red: '31', yellow: '33', green: '32', cyan: '36' };
const STYLES: Record<Tone, Style | undefined> = { bad: 'red', doubtful: 'yellow', good: 'green', plain: undefined };

type Paint = (text: string, style: Style | undefined) => string;

function draw(layout: Layout, { color = false, width = 80 }: TerminalOptions): string {
  const paint: Paint = (text, style) => (color && style && text ? `\x1b[${CODES[style]}m${text}\x1b[0m` : text);
  const names = Math.max(0, ...layout.facts.map(({ name }) => name.length)) + GAP;
  const facts = layout.facts.flatMap(({ name, value, tone }) =>
    wrapped(value, width - names).map(
      (line, i) => paint((i === 0 ? name : '').padEnd(names), 'dim') + paint(line, STYLES[tone]),
    ),
  );
  const parts = [
    [paint(layout.title, 'bold'), ...facts],
    ...drawTables(layout, width, paint),
    layout.notes.flatMap((note) => wrapped(note, width, '  ')),
    wrapped(layout.summary, width).map((line) => paint(line, 'bold')),
  ];
  return parts
    .filter((lines) => lines.length > 0)
    .map((lines) => lines.join('\n'))
    .join('\n\n');
}

/**
 * The lines of all tables. Each has the columns that fit, and its names take what is left, so that the last columns and
 * the bars of all tables stand below each other.
 */
function drawTables({ tables, barEnd }: Layout, width: number, paint: Paint): string[][] {
  const widths = widthsOf(tables);
  const beside = width - GAP - LEAST_BAR;
  const leastWidth = (table: Table): number => widthOf(table, widths) - nameWidth(table) + LEAST_NAME;
  const hasBars = barEnd !== null && tables.every((table) => leastWidth(fittedTo(beside, table, widths)) <= beside);
  const room = hasBars ? beside : width;
  const fitting = tables.map((table) => fittedTo(room, table, widths));
  const full = Math.min(room, Math.max(0, ...fitting.map((table) => widthOf(table, widths))));
  const bar = Math.min(LONGEST_BAR, width - GAP - full);
  return fitting.map((table) => {
    const own = table.columns.map(({ title }) => widths.get(title)!);
    own[0] = Math.max(LEAST_NAME, full - (widthOf(table, widths) - nameWidth(table)));
    const line = (cells: readonly string[]): string =>
      cells.map((cell, i) => fitted(cell, own[i]!, table.columns[i]!.align)).join(' '.repeat(GAP));
    const lineWithBar = ({ cells, bar: value, tone }: Row): string => {
      const text = paint(line(cells).trimEnd(), STYLES[tone]);
      if (!hasBars || value === null) return text;
      const gap = ' '.repeat(line(cells).length - line(cells).trimEnd().length + GAP);
      return text + gap + paint(barOf(value / barEnd, REFERENCE / barEnd, bar), 'cyan');
    };
    // The title of the table stands above the names.
    const head = line(table.columns.map(({ title }, i) => (i === 0 ? table.title : title))).trimEnd();
    return [paint(head, 'bold'), ...table.rows.map(lineWithBar)];
  });
}

/** The widths of all columns but the first ones, by title. */
function widthsOf(tables: readonly Table[]): Map<string, number> {
  const widths = new Map<string, number>();
  for (const { columns, rows } of tables) {
    for (const [i, { title }] of columns.entries()) {
      widths.set(title, Math.max(widths.get(title) ?? title.length, ...rows.map(({ cells }) => cells[i]!.length)));
    }
  }
  return widths;
}

const nameWidth = ({ title, rows }: Table): number =>
  Math.max(title.length, ...rows.map(({ cells }) => cells[0]!.length));

const widthOf = (table: Table, widths: ReadonlyMap<string, number>): number =>
  table.columns.reduce((sum, { title }, i) => sum + (i === 0 ? nameWidth(table) : GAP + widths.get(title)!), 0);

/** The table without the columns that leave where it is wider than the room. */
function fittedTo(room: number, table: Table, widths: ReadonlyMap<string, number>): Table {
  const ranks = table.columns.flatMap(({ leaves }) => (leaves === undefined ? [] : [leaves])).sort((x, y) => x - y);
  let shown = table;
  for (const rank of ranks) {
    if (widthOf(shown, widths) <= room) break;
    shown = without(shown, rank);
  }
  return shown;
}

const without = ({ title, columns, rows }: Table, rank: number): Table => {
  const stays = (_: unknown, i: number): boolean => columns[i]!.leaves !== rank;
  return {
    title,
    columns: columns.filter(stays),
    rows: rows.map((row) => ({ ...row, cells: row.cells.filter(stays) })),
  };
};

/** A cell of a fixed width. What is too long ends in `…`. */
function fitted(text: string, width: number, align: Column['align']): string {
  const cut = text.length > width ? `${text.slice(0, width - 1)}…` : text;
  return align === 'left' ? cut.padEnd(width) : cut.padStart(width);
}

const EIGHTHS = ['', '▏', '▎', '▍', '▌', '▋', '▊', '▉'];

/** A bar whose length is a part of `width`, with a line at the reference. A bar that is too long ends in `▶`. */
function barOf(part: number, reference: number, width: number): string {
  if (part > 1) return `${'█'.repeat(width - 1)}▶`;
  const eighths = Math.round(part * width * 8);
  const bar = '█'.repeat(Math.floor(eighths / 8)) + EIGHTHS[eighths % 8]!;
  const mark = Math.min(width - 1, Math.floor(reference * width));
  return bar.length > mark ? bar : `${bar.padEnd(mark)}┊`;
}

/** The lines of a text, broken at spaces. Lines after the first begin with `indent`. */
function wrapped(text: string, width: number, indent = ''): string[] {
  const lines: string[] = [];
  let line = '';
  for (const word of text.split(' ')) {
    if (line !== '' && line !== indent && line.length + 1 + word.length > width) {
      lines.push(line);
      line = indent;
    }
    line += line === '' || line === indent ? word : ` ${word}`;
  }
  return [...lines, line];
}
