// Layers of other entries that saved models can hold. An app that registers some does not contain all others.

/** Functions that make layers from their options, by their Keras class names. */
export const registeredLayers: Record<string, (options: never) => unknown> = {};

/** Adds layers that saved models can hold. */
export function registerLayers(more: Record<string, (options: never) => unknown>): void {
  Object.assign(registeredLayers, more);
}
