import { ArgumentError } from '../../checks/argument-error.ts';
import type { LayerConfig, SavedLayer } from '../../io/model-file.ts';
import { describe } from '../../io/parsed-json.ts';
import type { AnyLayer } from './layer.ts';

/** Class name in a file for a layer that already occurred at another place of the same model. */
export const SHARED = 'Shared';

let saved: Map<AnyLayer, number> | undefined;

/**
 * Returns the saved form of a layer: class name and options. For a layer that the model has saved before, it holds the
 * number of that layer.
 */
export function saveLayer(layer: AnyLayer): { className: string; config: LayerConfig } {
  const at = saved?.get(layer);
  if (at !== undefined) return { className: SHARED, config: { name: layer.name, at } };
  saved?.set(layer, saved.size);
  return { className: layer.className, config: layer.config() };
}

let made: AnyLayer[] | undefined;

/** Runs `body`, which saves or loads the layers of one model. A layer at two places is loaded as one layer. */
export function withSharedLayers<T>(body: () => T): T {
  const [outerSaved, outerMade] = [saved, made];
  saved = new Map();
  made = [];
  try {
    return body();
  } finally {
    saved = outerSaved;
    made = outerMade;
  }
}

/**
 * Returns the layer that `saveLayer` described. `make` makes it, unless it exists already. Throws `ArgumentError` for a
 * number that no layer has.
 */
export function sharedLayer({ className, config }: SavedLayer, make: () => AnyLayer): AnyLayer {
  if (className === SHARED) {
    const layer = made?.[Number(config.at)];
    if (layer) return layer;
    throw new ArgumentError(`layer '${config.name}' expected the number of one before it, got ${describe(config.at)}`);
  }
  const at = made && made.length++;
  const layer = make();
  if (made) made[at!] = layer;
  return layer;
}
