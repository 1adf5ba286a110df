// node --expose-gc child.mjs time|memory LIBRARY FILE RUNS
//
// Measures one library on one file, in its own process. Prints a line of JSON.
import { readFileSync } from 'node:fs';

const [, , what, library, file, runs] = process.argv;

/**
 * Each library takes the bytes of the file and returns its columns: columns of numbers as numbers, others as strings.
 */
const libraries = {
  async tapeloop() {
    const { loadCsv } = await import('../../../dist/data.js');
    return async (bytes) => {
      const table = await loadCsv(bytes);
      return table.names.map((name) => table.column(name));
    };
  },
  async papaparse() {
    const { default: Papa } = await import('papaparse');
    return (bytes) => {
      const { data } = Papa.parse(new TextDecoder().decode(bytes), { dynamicTyping: true, skipEmptyLines: true });
      // Rows stay in the form that the library returns. A column is read from the rows.
      return data[0].map((_, j) => ({ length: data.length - 1, at: (i) => data[i + 1][j] }));
    };
  },
  async udsv() {
    const { inferSchema, initParser } = await import('udsv');
    return (bytes) => {
      const text = new TextDecoder().decode(bytes);
      const schema = inferSchema(text);
      // Dates stay text, as in the other libraries.
      for (const column of schema.cols) if (column.type !== 'n') column.type = 's';
      return initParser(schema).typedCols(text);
    };
  },
};

const load = await libraries[library]();

/** A hash of all numbers, bit by bit, and of all characters of texts, in their order. */
function digest(columns) {
  const number = new Float64Array(1);
  const bits = new Uint32Array(number.buffer);
  let hash = 17;
  const add = (word) => {
    hash = (Math.imul(hash, 31) + word) | 0;
  };
  for (const column of columns) {
    for (let i = 0; i < column.length; i++) {
      const value = column.at(i);
      if (typeof value === 'number') {
        number[0] = value;
        add(bits[0]);
        add(bits[1]);
      } else for (let k = 0; k < value.length; k++) add(value.charCodeAt(k));
    }
  }
  return hash >>> 0;
}

if (what === 'time') {
  const bytes = readFileSync(file);
  const times = [];
  let columns;
  for (let run = 0; run < 3 + Number(runs); run++) {
    columns = undefined;
    globalThis.gc();
    const start = performance.now();
    columns = await load(bytes);
    // The first three runs warm up the code.
    if (run >= 3) times.push(performance.now() - start);
  }
  times.sort((a, b) => a - b);
  console.log(JSON.stringify({ ms: times[times.length >> 1], leastMs: times[0], digest: digest(columns) }));
} else {
  globalThis.gc();
  const before = process.memoryUsage.rss();
  // The peak may be above the current memory of the process.
  const highest = process.resourceUsage().maxRSS * 1024;
  let columns = await load(readFileSync(file));
  const peak = process.resourceUsage().maxRSS * 1024;
  globalThis.gc();
  const held = process.memoryUsage.rss();
  console.log(JSON.stringify({ peak: Math.max(peak, highest) - before, held: held - before, columns: columns.length }));
  columns = undefined;
}
