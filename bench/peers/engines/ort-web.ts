import * as ort from 'onnxruntime-web';
import type { OpenEngine } from '../protocol.ts';
import { ortEngine } from './ort.ts';

const open: OpenEngine = async ({ threads }) => {
  ort.env.wasm.numThreads = threads;
  ort.env.logLevel = 'error';
  return ortEngine(
    {
      preallocates: false,
      create: (model) => ort.InferenceSession.create(model, { executionProviders: ['wasm'] }),
      tensor: (values, shape) => new ort.Tensor('float32', values, shape),
    },
    ort.env.versions.web ?? 'unknown',
  );
};

export default open;
