import { runInNewContext } from 'node:vm';
import { expect, test } from 'vitest';
import { htmlReport } from '../../../src/bench/report/html.ts';
import type { BenchReport } from '../../../src/bench/results.ts';
import { sampleReport } from './sample.ts';

const SCRIPT = 'var tapeloopReport = { renderReports(...args) { drawn = args; } };';

/** The contents of the scripts and styles, as a browser finds them. */
const contents = (html: string, tag: string): string[] =>
  Array.from(html.matchAll(new RegExp(`<${tag}\\b[^>]*>(.*?)</${tag}`, 'gis')), ([, text]) => text!);

test('htmlReport, of a report, contains it, and calls renderReports of the script with it', () => {
  const reports = [sampleReport(), sampleReport({ date: '2026-12-01T00:00:00.000Z' })];
  const [json, ...scripts] = contents(htmlReport(reports, SCRIPT, 'p { color: red }'), 'script');
  expect(JSON.parse(json!)).toEqual(reports);
  const place = {};
  const elements: Record<string, object> = { report: place, reports: { textContent: json } };
  const scope = { document: { getElementById: (id: string) => elements[id] }, drawn: [] as unknown[] };
  runInNewContext(scripts.join('\n'), scope);
  expect(scope.drawn[0]).toBe(place);
  expect(JSON.parse(JSON.stringify(scope.drawn[1]))).toEqual(reports);
});

test('htmlReport, of texts that would end a script, keeps them inside', () => {
  const evil = '</script><script>alert(1)</script><!-- <script>\u2028"\\';
  const host: BenchReport['host'] = { ...sampleReport().host, cpu: evil, engine: evil, version: evil, flags: [evil] };
  const report = sampleReport({ host, leftOut: [{ id: evil, reason: evil }] });
  const html = htmlReport([report], SCRIPT, '');
  expect(html.match(/<script/g)).toHaveLength(3);
  expect(html).not.toContain('<!-- ');
  expect(JSON.parse(contents(html, 'script')[0]!)).toEqual([report]);
});

test('htmlReport, of a script and a style that name their own ends, keeps them inside', () => {
  const script = "var a = '</script>', b = '<!--', c = '</SCRIPT>';";
  const html = htmlReport([sampleReport()], script, 'p::after { content: "</style>" }');
  const [, bundled] = contents(html, 'script');
  const scope = { a: '', b: '', c: '' };
  runInNewContext(bundled!, scope);
  expect(scope).toEqual({ a: '</script>', b: '<!--', c: '</SCRIPT>' });
  expect(contents(html, 'style')).toEqual(['p::after { content: "<\\/style>" }']);
});

test('htmlReport, of any report, names no address and has a policy against requests', () => {
  const html = htmlReport([sampleReport()], SCRIPT, '');
  expect(html).not.toMatch(/\b(?:src|href)=|https?:|@import|url\(/);
  expect(html).toContain(`<meta http-equiv="content-security-policy" content="default-src 'none';`);
});
