// What PyTorch wrote and computed: golden.py makes golden.json.
import { readFileSync } from 'node:fs';

interface Values {
  readonly shape: number[];
  readonly data: number[];
}

interface Golden {
  readonly files: Readonly<Record<string, string>>;
  readonly tensors: Readonly<Record<string, Values & { dtype: string }>>;
  readonly net: { x: number[][]; y: Values };
  readonly sequential: { x: number[][]; y: Values };
  readonly configured: { file: string; x: number[][][]; y: Values };
  readonly nested: Golden['configured'];
  readonly stacks: Readonly<Record<string, { file: string; x: number[][][]; y: Values }>>;
  readonly cells: Golden['stacks'];
  readonly averages: { file: string; x: number[][]; y: Values };
  readonly x: number[][][];
  readonly y: number[][];
  readonly training: Readonly<Record<string, { file: string; losses: number[] }>>;
}

export const golden: Golden = JSON.parse(readFileSync(new URL('golden.json', import.meta.url), 'utf8'));

export const bytesOf = (base64: string): Uint8Array => new Uint8Array(Buffer.from(base64, 'base64'));

/** The bytes of a file by its name. */
export const fileOf = (name: string): Uint8Array => bytesOf(golden.files[name]!);
