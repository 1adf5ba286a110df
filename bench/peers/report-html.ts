// The report of a run as one HTML file. It contains the data, Observable Plot, d3 and page/plots.js.
import { readFileSync } from 'node:fs';
import { here } from './processes.ts';
import { markdownReport } from './report-markdown.ts';
import type { Report } from './results.ts';

const read = (path: string): string => readFileSync(here(path), 'utf8');

/** Escapes `</script` in script text, because it would end the script. */
const inline = (script: string): string => script.replaceAll('</script', '<\\/script');

const escapeHtml = (text: string): string => text.replaceAll('&', '&amp;').replaceAll('<', '&lt;');

/** Converts the tables and lists of the Markdown report to HTML. The report uses only a few forms. */
function toHtml(markdown: string): string {
  const inlineForms = (text: string) => escapeHtml(text).replace(/\*\*(.+?)\*\*/g, '<b>$1</b>');
  const cells = (line: string, tag: string) =>
    `<tr>${line
      .slice(1, -1)
      .split('|')
      .map((cell) => `<${tag}>${inlineForms(cell.trim())}</${tag}>`)
      .join('')}</tr>`;
  const block = (text: string): string => {
    const lines = text.trim().split('\n');
    const [first] = lines as [string];
    if (first.startsWith('# ')) return '';
    if (first.startsWith('## ')) return `<h2>${inlineForms(first.slice(3))}</h2>`;
    if (first.startsWith('- '))
      return `<ul>${lines.map((line) => `<li>${inlineForms(line.slice(2))}</li>`).join('')}</ul>`;
    if (!first.startsWith('|')) return `<p>${lines.map(inlineForms).join('<br>')}</p>`;
    const [head, , ...rows] = lines as [string, string, ...string[]];
    return `<div class="scroll"><table><thead>${cells(head, 'th')}</thead><tbody>${rows.map((line) => cells(line, 'td')).join('')}</tbody></table></div>`;
  };
  return markdown.split('\n\n').map(block).join('\n');
}

export const htmlReport = (report: Report): string => `<!doctype html>
<html lang="en">
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>tapeloop beside other libraries</title>
<style>${read('page/style.css')}</style>
<body>
<header>
<h1>tapeloop beside other libraries</h1>
<p>${escapeHtml(report.host.cpu)}, ${report.host.cores} cores · Node ${report.host.node} · ${report.host.date.slice(0, 10)} · medians</p>
</header>
<main id="plots"></main>
<details open><summary>Numbers</summary>
${toHtml(markdownReport(report))}
</details>
<script>${inline(read('node_modules/d3/dist/d3.min.js'))}</script>
<script>${inline(read('node_modules/@observablehq/plot/dist/plot.umd.min.js'))}</script>
<script>window.report = ${inline(JSON.stringify(report))};</script>
<script>${inline(read('page/plots.js'))}</script>
</body>
</html>
`;
