import type { Build } from '../loading/load.ts';
import simd from './extra-simd.wasm';

export const compileNow = (_build: Build, _shared: boolean): WebAssembly.Module => simd;
