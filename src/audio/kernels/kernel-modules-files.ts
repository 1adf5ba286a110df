import type { Build } from '../../engine/loading/load.ts';
import relaxed from './audio-relaxed.wasm';
import simd from './audio-simd.wasm';

const modules: Record<Build, WebAssembly.Module> = { simd, relaxed };

export const compileNow = (build: Build, _shared: boolean): WebAssembly.Module => modules[build];
