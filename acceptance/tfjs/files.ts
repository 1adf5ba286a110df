// Models of TF.js in memory: what exportTfjs writes is loaded, and what TF.js saves is kept.
import * as tf from '@tensorflow/tfjs';
import type { TfjsArtifacts } from '../../src/tfjs.ts';

/** Loads the files of `exportTfjs` with TF.js. */
export function loadedByTfjs(files: Readonly<Record<string, Uint8Array>>): Promise<tf.LayersModel> {
  const json = JSON.parse(new TextDecoder().decode(files['model.json'])) as {
    modelTopology: object;
    format: string;
    trainingConfig?: tf.io.TrainingConfig;
    weightsManifest: { paths: string[]; weights: tf.io.WeightsManifestEntry[] }[];
  };
  const parts = json.weightsManifest.flatMap(({ paths }) => paths.map((path) => files[path]!));
  const bytes = new Uint8Array(parts.reduce((sum, { length }) => sum + length, 0));
  let at = 0;
  for (const part of parts) {
    bytes.set(part, at);
    at += part.length;
  }
  return tf.loadLayersModel(
    tf.io.fromMemory({
      modelTopology: json.modelTopology,
      format: json.format,
      weightSpecs: json.weightsManifest.flatMap(({ weights }) => weights),
      weightData: bytes.buffer,
      ...(json.trainingConfig && { trainingConfig: json.trainingConfig }),
    }),
  );
}

/** What TF.js saves of a model. */
export async function savedByTfjs(model: tf.LayersModel, includeOptimizer = false): Promise<TfjsArtifacts> {
  let saved: TfjsArtifacts = {};
  const handler = tf.io.withSaveHandler(async (artifacts) => {
    saved = artifacts as unknown as TfjsArtifacts;
    return { modelArtifactsInfo: { dateSaved: new Date(0), modelTopologyType: 'JSON' } };
  });
  await model.save(handler, { includeOptimizer });
  return saved;
}
