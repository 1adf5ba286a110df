// What the page and its two workers say to each other.

import type { CharCell, LossPoint } from 'tapeloop/characters';

export type CellName = CharCell;
export type { LossPoint };

/** What a new model is made of, and how it is run. */
export interface Settings {
  cell: CellName;
  layers: number;
  hidden: number;
  threads: number;
  temperature: number;
}

/** Where the text comes from. A file is read by the worker, so that a long one never stops the page. */
export type TextSource =
  | { kind: 'code' }
  | { kind: 'brackets' }
  | { kind: 'own'; text: string }
  | { kind: 'file'; file: File };

export type ToTrainer =
  | { type: 'text'; source: TextSource }
  | { type: 'start'; settings: Settings }
  | { type: 'pause' }
  | { type: 'resume' }
  | { type: 'discard' }
  | { type: 'temperature'; temperature: number }
  /** The model there is, or else that of the last visit. */
  | { type: 'save' }
  | { type: 'load'; file: File; threads: number }
  | { type: 'restore'; threads: number }
  | { type: 'forget' }
  | { type: 'autosave' }
  | { type: 'inspect'; layer: number; text: string | undefined };

/** What there is to see of a model that exists. */
export interface RunState {
  cell: CellName;
  layers: number;
  hidden: number;
  vocabulary: number;
  parameters: number;
  threads: number;
  step: number;
}

/** One recurrent layer at work on a text: for every quantity `[T, H]`, row-major, f32. */
export interface Inspection {
  step: number;
  cell: CellName;
  layer: number;
  characters: string[];
  /** Characters of the text that the model does not know and that were left out. */
  skipped: string[];
  units: number;
  quantities: Record<string, Float32Array<ArrayBuffer>>;
}

export type FromTrainer =
  | { type: 'hello'; earlier: { label: string; savedAt: number } | undefined; source: TextSource | undefined }
  | { type: 'state'; status: 'empty' | 'paused' | 'running'; run: RunState | undefined }
  | { type: 'history'; train: LossPoint[]; validation: LossPoint[] }
  | { type: 'progress'; points: LossPoint[]; validation: LossPoint | undefined; charactersPerSecond: number }
  | { type: 'sample'; step: number; text: string }
  | { type: 'inspection'; inspection: Inspection }
  | { type: 'saved'; bytes: Uint8Array<ArrayBuffer>; name: string }
  | { type: 'autosaved'; step: number }
  | { type: 'notice'; text: string }
  | { type: 'storage'; problem: string }
  | { type: 'problem'; text: string };

export interface FlowRequest {
  source: TextSource;
  units: number;
}

/** Norms of the gradient that the last of T characters sends back, one for each step before it, first step first. */
export interface FlowCurves {
  step: number;
  rnn: number[];
  lstm: number[];
  /** The same along the LSTM's cell state. */
  cellState: number[];
}

export type FromFlow =
  | { type: 'curves'; curves: FlowCurves; losses: { rnn: number; lstm: number } | undefined; done: boolean }
  | { type: 'problem'; text: string };
