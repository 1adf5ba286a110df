import type { Build } from '../../engine/loading/load.ts';
import simd from './audio-simd.wasm';

export const compileNow = (_build: Build, _shared: boolean): WebAssembly.Module => simd;
