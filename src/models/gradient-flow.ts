import { valueAndGrad } from '../autograd/tape.ts';
import { ArgumentError } from '../checks/argument-error.ts';
import { checkOptions } from '../checks/options.ts';
import { Transaction, transaction } from '../engine/transaction.ts';
import { type HiddenProbe, withProbes } from '../ops/hidden-probe.ts';
import { checkData, type Data, type WeightOptions, weightNames } from '../train/feeds/checked-data.ts';
import { range } from '../train/feeds/samples.ts';
import { type AnyModel, expectModel } from './model.ts';

/** Norms of the gradients of the loss at each time step of one recurrent layer. */
export interface GradientFlow {
  /** Path of the layer in the model. For further calls of the same layer ` (2)`, ` (3)`, … follow. */
  layer: string;
  /** ‖∂L/∂h_t‖₂ by time step t, over all samples of the batch and all units. */
  norms: Float32Array;
}

export interface GradientFlowOptions extends WeightOptions {
  /** Whether dropout is on. Default false. */
  training?: boolean | undefined;
}

/**
 * Measures how far the gradients of one batch's loss reach back in time in every recurrent layer.
 *
 * norms[t] = ‖∂L/∂h_t‖₂, over all samples of the batch and all units
 *
 * L is the loss that training minimizes, a mean over the batch. ∂L/∂h_t is the whole gradient: from the output at t and
 * from all later steps. If the norm falls towards early steps, gradients vanish; if it rises, they explode. Masked
 * steps add 0. The norms of a layer that goes backwards are in the order of the input steps. The model does not change.
 *
 * @param model a compiled model.
 * @param x one batch `[B, …]`, as `trainOnBatch` takes it.
 * @param y its targets.
 * @param options sample and class weights; `training` for dropout, default false.
 * @returns one entry for each call of a recurrent layer, in the order in which they ran, with `norms` `[T]`, owned by
 *   the caller. `plotGradientFlow` of `tapeloop/plot` draws them.
 * @throws ArgumentError if an option is unknown, `model` is not a model or not compiled, data do not fit, or the model
 *   has no recurrent layer.
 * @see Hochreiter 1991; Pascanu, Mikolov and Bengio 2013
 *
 * @example
 * const [{ layer, norms }] = gradientFlow(model, x, y);
 * norms.length; // 5
 */
export function gradientFlow(model: AnyModel, x: Data, y: Data, options: GradientFlowOptions = {}): GradientFlow[] {
  const { training = false, classWeight } = checkOptions('gradientFlow', options, { training: true, ...weightNames });
  expectModel('gradientFlow', model);
  const probes: [layer: string, probe: HiddenProbe][] = [];
  transaction(() => {
    const samples = checkData(model.trainer, x, y, options);
    const rows = { order: range(samples.count), from: 0, to: samples.count };
    const changes = new Transaction();
    changes.part(() =>
      model.engine.step(() => {
        const loss = () => model.trainer.lossOf(samples, rows, { training, classWeight }).total;
        withProbes(
          (layer, probe) => probes.push([layer, probe]),
          () => valueAndGrad(loss, model.weights),
        );
      }),
    );
    changes.undo();
  });
  if (probes.length === 0) throw new ArgumentError(`gradientFlow: ${model.name} expected a recurrent layer, got none`);
  return probes.map(([layer, { squares }], i) => {
    const before = probes.slice(0, i).filter(([other]) => other === layer).length;
    return { layer: before === 0 ? layer : `${layer} (${before + 1})`, norms: Float32Array.from(squares, Math.sqrt) };
  });
}
