// Text from a model file over HTTP, character by character: deno task serve [MODEL [PORT]]
import { decodeModel, encodeText, generate } from 'tapeloop';

const [file = 'model.safetensors', port = '8000'] = Deno.args;
const { model, vocabulary } = decodeModel(await Deno.readFile(file), { file });
if (!vocabulary) throw new Error(`${file} expected a model of text, with its vocabulary`);

async function* write(words: readonly string[], prompt: Int32Array, temperature: number): AsyncGenerator<string> {
  for await (const id of generate(model, prompt, { maxLength: 1000, temperature })) yield words[id]!;
}

Deno.serve({ port: Number(port), hostname: '127.0.0.1' }, (request) => {
  const { searchParams } = new URL(request.url);
  try {
    const prompt = encodeText(searchParams.get('prompt') || '\n', vocabulary);
    const temperature = Number(searchParams.get('temperature') ?? 0.7);
    if (!(temperature >= 0)) throw new RangeError(`temperature expected ≥ 0, got '${searchParams.get('temperature')}'`);
    const text = write(vocabulary, prompt, temperature);
    // The stream asks the generator for a character when its reader is ready, and ends the generator when the reader
    // goes away.
    const body = ReadableStream.from(text).pipeThrough(new TextEncoderStream());
    return new Response(body, { headers: { 'content-type': 'text/plain; charset=utf-8' } });
  } catch (error) {
    return new Response(`${(error as Error).message}\n`, { status: 400 });
  }
});
