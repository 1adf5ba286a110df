// Reports as one HTML file that requests nothing.
import type { BenchReport } from '../results.ts';

// The page may run and show what is in the file, and nothing else.
const POLICY = [
  "default-src 'none'",
  "script-src 'unsafe-inline'",
  "style-src 'unsafe-inline'",
  "base-uri 'none'",
  "form-action 'none'",
].join('; ');

/** JSON inside a script: no text of a report can end it. */
const json = (value: unknown): string => JSON.stringify(value).replaceAll('<', '\\u003c');

/** Escapes what would end a script, or begin a comment in it. */
const inScript = (script: string): string => script.replace(/<\/(?=script)/gi, '<\\/').replaceAll('<!--', '<\\!--');

const inStyle = (style: string): string => style.replace(/<\/(?=style)/gi, '<\\/');

/**
 * One HTML file with the reports, the script that draws them and its styles.
 *
 * @param reports one or more; several are shown beside each other.
 * @param script text of `dist/bench/report.js`.
 * @param style text of `dist/bench/report.css`.
 */
export const htmlReport = (reports: readonly BenchReport[], script: string, style: string): string => `<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta http-equiv="content-security-policy" content="${POLICY}">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>tapeloop benchmark suite</title>
<style>${inStyle(style)}</style>
</head>
<body>
<main>
<h1>tapeloop benchmark suite</h1>
<div id="report"></div>
<noscript><p>This page needs JavaScript to draw its numbers.</p></noscript>
</main>
<script type="application/json" id="reports">${json(reports)}</script>
<script>${inScript(script)}</script>
<script>
tapeloopReport.renderReports(
  document.getElementById('report'),
  JSON.parse(document.getElementById('reports').textContent),
);
</script>
</body>
</html>
`;
