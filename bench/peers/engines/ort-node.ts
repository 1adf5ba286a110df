import * as ort from 'onnxruntime-node';
import type { OpenEngine } from '../protocol.ts';
import { ortEngine } from './ort.ts';

const open: OpenEngine = async ({ threads }) =>
  ortEngine(
    {
      preallocates: true,
      create: (model) =>
        ort.InferenceSession.create(model, {
          executionProviders: ['cpu'],
          intraOpNumThreads: threads,
          interOpNumThreads: 1,
          executionMode: 'sequential',
        }),
      tensor: (values, shape) => new ort.Tensor('float32', values, shape),
    },
    ort.env.versions.node ?? 'unknown',
  );

export default open;
