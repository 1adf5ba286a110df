import { ArgumentError, shown } from '../../checks/argument-error.ts';

/** The properties of a layer that `nameLayers` reads and sets. */
interface NamedLayer {
  readonly className: string;
  readonly defaultName: string;
  /** Whether the name is fixed. */
  readonly isNamed: boolean;
  name: string;
}

/**
 * Names the layers of one level, numbered as in Keras: lstm, lstm_1, ….
 *
 * @param seen layers that were already named at another place in the tree.
 * @param kindOf the name before it is numbered. Default: `defaultName`.
 * @throws ArgumentError if two layers have the same fixed name, an entry is not a layer, or a layer is listed twice.
 */
export function nameLayers<L extends NamedLayer>(
  what: string,
  layers: readonly L[],
  seen: ReadonlySet<L>,
  kindOf = (layer: L): string => layer.defaultName,
): void {
  const taken = new Map<string, number>();
  const isFixed = (layer: L): boolean => layer.isNamed || seen.has(layer);
  layers.forEach((layer, i) => {
    if (!layer?.className) throw new ArgumentError(`${what}: layers[${i}] expected a layer, got ${shown(layer)}`);
    const { name } = layer;
    if (layers.indexOf(layer) < i) throw new ArgumentError(`${what}: layer '${name}' is listed twice`);
    if (!isFixed(layer)) return;
    const other = taken.get(name);
    if (other !== undefined) {
      const [a, b] = [other, i].map((at) => `layers[${at}] (${layers[at]!.className})`);
      throw new ArgumentError(`${what}: two layers are named '${name}', ${a} and ${b}`);
    }
    taken.set(name, i);
  });
  layers.forEach((layer, i) => {
    if (isFixed(layer)) return;
    const kind = kindOf(layer);
    let name = kind;
    for (let n = 1; taken.has(name); n++) name = `${kind}_${n}`;
    taken.set(name, i);
    layer.name = name;
  });
}
