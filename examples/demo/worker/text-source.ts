import { decodeUtf8, TextError } from 'tapeloop';
import type { TextSource } from '../protocol.ts';
import { bracketsText } from './brackets.ts';

/** The text of a source. Throws `TextError` if it is not text. */
export async function readText(source: TextSource): Promise<string> {
  switch (source.kind) {
    case 'code': {
      const response = await fetch(new URL('./code.txt', import.meta.url));
      if (!response.ok) throw new TextError(`the project's source text could not be fetched: ${response.status}`);
      return response.text();
    }
    case 'brackets':
      return bracketsText();
    case 'own':
      return source.text;
    case 'file':
      return decodeUtf8(new Uint8Array(await source.file.arrayBuffer()), source.file.name);
  }
}
