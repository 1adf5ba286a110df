import type { Build } from '../../engine/loading/load.ts';
import simd from './block-simd.wasm';

export const canFuse = false;

export const compileNow = (_build: Build): WebAssembly.Module => simd;

export const compile = async (_build: Build): Promise<WebAssembly.Module> => simd;
