import type { Build } from '../../engine/loading/load.ts';
import relaxed from './block-relaxed.wasm';
import simd from './block-simd.wasm';

const modules: Record<Build, WebAssembly.Module> = { simd, relaxed };

export const canFuse = true;

export const compileNow = (build: Build): WebAssembly.Module => modules[build];

export const compile = async (build: Build): Promise<WebAssembly.Module> => modules[build];
