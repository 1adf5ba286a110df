import { ArgumentError, shown } from './argument-error.ts';

/** Throws `ArgumentError` unless each option is true or false. */
export function expectFlags(where: string, options: Readonly<Record<string, unknown>>): void {
  for (const [name, value] of Object.entries(options)) {
    if (typeof value !== 'boolean')
      throw new ArgumentError(`${where}: ${name} expected true or false, got ${shown(value)}`);
  }
}

/** Throws `ArgumentError` unless the option is one of the choices. */
export function expectChoice(where: string, name: string, value: unknown, choices: readonly unknown[]): void {
  if (choices.includes(value)) return;
  const listed = choices.map((choice) => (typeof choice === 'string' ? `'${choice}'` : String(choice)));
  throw new ArgumentError(`${where}: ${name} expected ${listed.join(', ')}, got ${shown(value)}`);
}
