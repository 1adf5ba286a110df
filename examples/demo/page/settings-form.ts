import type { CellName, RunState, Settings } from '../protocol.ts';
import { byId, setOptions } from './elements.ts';

const KEY = 'tapeloop-demo-settings';
const UNITS = [32, 64, 128, 256, 512];
const LAYERS = [1, 2, 3, 4];

/** The choices for a new network. The browser remembers them if it permits storage. */
export class SettingsForm {
  readonly #cell = byId<HTMLSelectElement>('cell');
  readonly #hidden = byId<HTMLSelectElement>('hidden');
  readonly #layers = byId<HTMLSelectElement>('layers');
  readonly #threads = byId<HTMLSelectElement>('threads');
  readonly #temperature = byId<HTMLInputElement>('temperature');

  /** @param onTemperature told of each change, since it counts at once. */
  constructor(onTemperature: (temperature: number) => void) {
    setOptions(
      this.#hidden,
      UNITS.map((n) => [String(n), String(n)]),
    );
    this.#hidden.value = '128';
    setOptions(
      this.#layers,
      LAYERS.map((n) => [String(n), String(n)]),
    );
    const cores = navigator.hardwareConcurrency || 1;
    const most = crossOriginIsolated ? Math.min(cores, 8) : 1;
    setOptions(
      this.#threads,
      Array.from({ length: most }, (_, i) => [String(i + 1), String(i + 1)]),
    );
    // One core stays free for the page.
    this.#threads.value = String(Math.max(1, Math.min(most, cores - 1, 4)));
    this.#recall();
    this.#tellTemperature();
    this.#temperature.addEventListener('input', () => {
      this.#tellTemperature();
      onTemperature(this.value.temperature);
    });
    byId('controls').addEventListener('change', () => this.#remember());
  }

  get value(): Settings {
    return {
      cell: this.#cell.value as CellName,
      hidden: Number(this.#hidden.value),
      layers: Number(this.#layers.value),
      threads: Number(this.#threads.value),
      temperature: Number(this.#temperature.value),
    };
  }

  /** Shows the shape of the present model. It cannot change until the model is discarded. */
  showModel(run: RunState | undefined): void {
    byId<HTMLFieldSetElement>('shape').disabled = run !== undefined;
    if (!run) return;
    this.#choose({ cell: run.cell, hidden: run.hidden, layers: run.layers, threads: run.threads });
  }

  #choose(settings: Partial<Settings>): void {
    for (const [key, value] of Object.entries(settings)) {
      const select = byId<HTMLSelectElement>(key);
      const text = String(value);
      if (![...select.options].some((option) => option.value === text)) select.append(new Option(text, text));
      select.value = text;
    }
  }

  #tellTemperature(): void {
    byId('temperature-value').textContent = Number(this.#temperature.value).toFixed(1);
  }

  #remember(): void {
    try {
      localStorage.setItem(KEY, JSON.stringify(this.value));
    } catch {
      // Storage is denied or full. The choices are not remembered.
    }
  }

  #recall(): void {
    try {
      const kept = JSON.parse(localStorage.getItem(KEY) ?? '{}') as Partial<Settings>;
      for (const [key, value] of Object.entries(kept)) {
        const field = byId<HTMLSelectElement | HTMLInputElement>(key);
        const before = field.value;
        field.value = String(value);
        if (field.value === '') field.value = before;
      }
    } catch {
      // Storage is denied, or its content is invalid. The defaults apply.
    }
  }
}
