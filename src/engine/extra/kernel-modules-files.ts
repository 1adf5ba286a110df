import type { Build } from '../loading/load.ts';
import relaxed from './extra-relaxed.wasm';
import simd from './extra-simd.wasm';

const modules: Record<Build, WebAssembly.Module> = { simd, relaxed };

export const compileNow = (build: Build, _shared: boolean): WebAssembly.Module => modules[build];
