// Reports as Markdown, for issues and pages.
import type { BenchReport, Comparison } from '../results.ts';
import { comparisonLayout } from './comparison.ts';
import { type Layout, reportLayout, type Table } from './layout.ts';

/** The report of a run as Markdown that ends with a newline. */
export const markdownReport = (report: BenchReport): string => written(reportLayout(report));

/** A comparison as Markdown that ends with a newline: the worst workload first, and a sentence at the end. */
export const markdownComparison = (comparison: Comparison): string => written(comparisonLayout(comparison));

/** Escapes what Markdown and HTML would read as marks. */
const escaped = (text: string): string =>
  text
    .replace(/[\\`*_[\]|~]/g, '\\$&')
    .replaceAll('&', '&amp;')
    .replaceAll('<', '&lt;');

const line = (cells: readonly string[]): string => `| ${cells.map(escaped).join(' | ')} |`;

const tableText = ({ title, columns, rows }: Table): string =>
  [
    `### ${title[0]!.toUpperCase()}${title.slice(1)}\n`,
    line(columns.map((column) => column.title)),
    `|${columns.map(({ align }) => (align === 'left' ? '---|' : '--:|')).join('')}`,
    ...rows.map(({ cells }) => line(cells)),
  ].join('\n');

const list = (items: readonly string[]): string[] =>
  items.length > 0 ? [items.map((item) => `- ${item}`).join('\n')] : [];

function written({ title, facts, tables, notes, summary }: Layout): string {
  const parts = [
    `## ${escaped(title)}`,
    ...list(
      facts.map(({ name, value, tone }) => `${name}: ${tone === 'bad' ? `**${escaped(value)}**` : escaped(value)}`),
    ),
    ...tables.map(tableText),
    ...list(notes.map(escaped)),
    `**${escaped(summary)}**`,
  ];
  return `${parts.join('\n\n')}\n`;
}
