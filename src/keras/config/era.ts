// The dialects in which Keras and its kin write a model. They differ in names, in defaults and in what a name means.
import type { Parsed } from '../../io/parsed-json.ts';

/**
 * Who wrote a configuration: Keras 0.3 or 1, Keras 2 (with tf.keras up to 2.15), Keras 3, or TF.js.
 *
 * `hard_sigmoid` is 0.2·x + ½ in all but Keras 3, where it is x/6 + ½.
 */
export type Era = 'keras1' | 'keras2' | 'keras3' | 'tfjs';

/**
 * The era of a configuration `{ class_name, config }`.
 *
 * @param version the `keras_version` beside it, such as `2.15.0` or `tfjs-layers 4.22.0`, if there is one.
 */
export function eraOf(config: Parsed, version?: string | undefined): Era {
  if (version?.startsWith('tfjs')) return 'tfjs';
  const major = /^(\d+)\./.exec(version ?? '')?.[1];
  if (major !== undefined) return Number(major) < 2 ? 'keras1' : Number(major) === 2 ? 'keras2' : 'keras3';
  const text = JSON.stringify(config) ?? '';
  if (text.includes('"__keras_tensor__"') || text.includes('"DTypePolicy"') || text.includes('"build_config"'))
    return 'keras3';
  return /"(output_dim|nb_filter|inner_init|border_mode|dim_ordering|init|input_dtype|p)":/.test(text) &&
    !/"(kernel_initializer|embeddings_initializer|data_format|rate|use_bias)":/.test(text)
    ? 'keras1'
    : 'keras2';
}

/** `returnSequences` for `return_sequences`. */
export const camelCase = (name: string): string => name.replace(/_+([a-z0-9])/g, (_, letter) => letter.toUpperCase());

/** `return_sequences` for `returnSequences`. */
export const snakeCase = (name: string): string =>
  name
    .replace(/([a-z0-9])([A-Z])/g, '$1_$2')
    .replace(/([A-Z]+)([A-Z][a-z])/g, '$1_$2')
    .toLowerCase();
