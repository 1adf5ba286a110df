// The messages between the page and its two workers.

import type { CharCell, LossPoint } from 'tapeloop/characters';

export type CellName = CharCell;
export type { LossPoint };

/** The options of a new model and of its run. */
export interface Settings {
  cell: CellName;
  layers: number;
  hidden: number;
  threads: number;
  temperature: number;
}

/** Where the text comes from. The worker reads files, so a long one never blocks the page. */
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
  /** The present model, or else the model of the last visit. */
  | { type: 'save' }
  | { type: 'load'; file: File; threads: number }
  | { type: 'restore'; threads: number }
  | { type: 'forget' }
  | { type: 'autosave' }
  | { type: 'inspect'; layer: number; text: string | undefined };

/** What the page shows of a model. */
export interface RunState {
  cell: CellName;
  layers: number;
  hidden: number;
  vocabulary: number;
  parameters: number;
  threads: number;
  step: number;
}

/** Quantities of one recurrent layer while it reads a text: each `[T, H]`, row-major, f32. */
export interface Inspection {
  step: number;
  cell: CellName;
  layer: number;
  characters: string[];
  /** Characters of the text that were left out, because the model does not know them. */
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

/** Norms of the gradient of the loss of the last of T characters, one for each step before it, first step first. */
export interface FlowCurves {
  step: number;
  rnn: number[];
  lstm: number[];
  /** The same for the cell state of the LSTM. */
  cellState: number[];
}

export type FromFlow =
  | { type: 'curves'; curves: FlowCurves; losses: { rnn: number; lstm: number } | undefined; done: boolean }
  | { type: 'problem'; text: string };
