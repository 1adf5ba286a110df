// An edge worker. It writes text with a character model, character by character, and fine-tunes a copy of the model on
// posted text.
import { decodeModel, encodeModel, encodeText, init, OutOfMemoryError } from 'tapeloop';
import { train, windowsOf, write } from './language-model.js';
import file from './model.safetensors';

// An isolate has 128 MB for everything. With a limit, a request that does not fit is refused and does not end the
// isolate.
const MAXIMUM_MEMORY = 64 * 2 ** 20;
// The CPU budget is a number of steps, some 4 ms each, because the clock of an edge worker does not advance while it
// computes.
const MOST_STEPS = 500;
const MOST_CHARACTERS = 2000;
const MOST_BYTES = 2 ** 20;

await init({ maximumMemory: MAXIMUM_MEMORY });
const own = load(file, 'model.safetensors');

const routes = {
  'GET /generate': async (_, query) => stream(generate(own, query)),
  // The body may be a model file, such as the answer of /finetune.
  'POST /generate': async (request, query) => {
    const loaded = load(await request.arrayBuffer(), 'the posted file');
    return stream(thenDispose(loaded.model, generate(loaded, query)));
  },
  'POST /finetune': async (request, query) => {
    const steps = numberOf(query, 'steps', { otherwise: 100, least: 1, most: MOST_STEPS });
    const windows = windowsOf(await request.text(), own.vocabulary);
    const tuned = load(file, 'model.safetensors');
    const training = train(tuned.model, windows, steps);
    if (query.get('as') !== 'file') return stream(thenDispose(tuned.model, report(training, tuned)));
    const [bytes] = thenDispose(tuned.model, encoded(training, tuned));
    return new Response(bytes, { headers: { 'content-disposition': 'attachment; filename="tuned.safetensors"' } });
  },
};

export default {
  async fetch(request) {
    const { pathname, searchParams } = new URL(request.url);
    const route = routes[`${request.method} ${pathname}`];
    if (!route) return new Response(`expected one of ${Object.keys(routes).join(', ')}\n`, { status: 404 });
    if (request.method === 'POST' && !(Number(request.headers.get('content-length') ?? Infinity) <= MOST_BYTES)) {
      return new Response(`expected a content-length of at most ${MOST_BYTES} bytes\n`, { status: 413 });
    }
    return route(request, searchParams).catch(
      (error) => new Response(`${error.message}\n`, { status: error instanceof OutOfMemoryError ? 503 : 400 }),
    );
  },
};

function load(bytes, name) {
  const loaded = decodeModel(new Uint8Array(bytes), { file: name });
  if (!loaded.vocabulary) throw new RangeError(`${name} expected a model of text, with its vocabulary`);
  return loaded;
}

function* generate(loaded, query) {
  const prompt = encodeText(query.get('prompt') || '\n', loaded.vocabulary);
  const length = numberOf(query, 'length', { otherwise: 200, least: 1, most: MOST_CHARACTERS });
  const temperature = numberOf(query, 'temperature', { otherwise: 0.7, least: 0, most: 10 });
  // A request without a seed gets another text each time.
  const [random] = crypto.getRandomValues(new Uint32Array(1));
  const seed = numberOf(query, 'seed', { otherwise: random, least: 0, most: 2 ** 32 - 1 });
  yield* write(loaded, { prompt, length, temperature, seed });
}

/** Yields lines of JSON: the loss of every step, then a sample and the size of memory. */
function* report(training, tuned) {
  for (const step of training) yield `${JSON.stringify(step)}\n`;
  const sample = [...write(tuned, { prompt: [0], length: 200, temperature: 0.7, seed: 0 })].join('');
  yield `${JSON.stringify({ sample, memoryBytes: tuned.model.engine.memory.buffer.byteLength })}\n`;
}

function* encoded(training, { model, vocabulary }) {
  for (const _ of training);
  yield encodeModel(model, { vocabulary });
}

function* thenDispose(model, parts) {
  try {
    yield* parts;
  } finally {
    model.dispose();
  }
}

/**
 * A response that is computed while it is read. It stops when its reader goes away. An error in the first part is
 * thrown.
 */
function stream(parts) {
  const encoder = new TextEncoder();
  let next = parts.next();
  const body = new ReadableStream({
    pull(controller) {
      if (next.done) return controller.close();
      controller.enqueue(encoder.encode(next.value));
      next = parts.next();
    },
    cancel: () => parts.return(),
  });
  return new Response(body, { headers: { 'content-type': 'text/plain; charset=utf-8' } });
}

function numberOf(query, name, { otherwise, least, most }) {
  const value = Number(query.get(name) ?? otherwise);
  if (value >= least && value <= most) return value;
  throw new RangeError(`${name} expected a number from ${least} to ${most}, got '${query.get(name)}'`);
}
