import { describe, expect, test } from 'vitest';
import { nearestName } from '../../src/checks/nearest-name.ts';

const layer = ['units', 'activation', 'recurrentActivation', 'kernelRegularizer', 'returnSequences', 'inputShape'];
const fit = ['batchSize', 'validationSplit', 'validationData', 'validationSteps', 'callbacks', 'profile'];

describe('nearestName', () => {
  test.each([
    ['return_sequences', layer, 'returnSequences'],
    ['input_shape', layer, 'inputShape'],
    ['unit', layer, 'units'],
    ['num_units', layer, 'units'],
    ['actviation', layer, 'activation'],
    ['ACTIVATION', layer, 'activation'],
    ['validation_data', fit, 'validationData'],
    ['validationStep', fit, 'validationSteps'],
    ['patient', ['monitor', 'patience', 'mode'], 'patience'],
    ['lr', ['clipNorm', 'learningRate', 'globalClipNorm'], 'learningRate'],
  ])('%s, is taken for the name that it looks like', (given, known, meant) => {
    expect(nearestName(given, known)).toBe(`did you mean '${meant}'?`);
  });

  test.each([
    ['lr', layer],
    ['returnState', layer],
    ['verbose', fit],
    ['', fit],
    ['groups', []],
    ['__proto__', layer],
    ['x'.repeat(1e6), layer],
  ])('%s, which is like none, asks for nothing', (given, known) => {
    expect(nearestName(given, known)).toBe('');
  });
});
