import type { TextSource } from '../protocol.ts';
import { byId, grouped } from './elements.ts';

type Kind = TextSource['kind'];

const explanations: Record<Exclude<Kind, 'file'>, string> = {
  code: 'Half a million characters of TypeScript and more. It soon learns indentation, comments, and names.',
  brackets: 'All that is opened must be closed, in order, up to five deep. Look for units that count.',
  own: 'Ten thousand characters do, a hundred thousand are better.',
};

/** The choice of a text: one of the two of the page, a pasted text, or a file. */
export class TextChoice {
  readonly #onChange: (source: TextSource) => void;
  readonly #select = byId<HTMLSelectElement>('source');
  readonly #own = byId<HTMLTextAreaElement>('own');
  #file: File | undefined;

  constructor(onChange: (source: TextSource) => void) {
    this.#onChange = onChange;
    const input = byId<HTMLInputElement>('text-file');
    this.#select.addEventListener('change', () => this.#changed());
    this.#own.addEventListener('change', () => this.#changed());
    byId('open-text').addEventListener('click', () => input.click());
    input.addEventListener('change', () => {
      const [file] = input.files ?? [];
      input.value = '';
      if (file) this.open(file);
    });
    this.#explain();
  }

  get source(): TextSource {
    const kind = this.#select.value as Kind;
    if (kind === 'own') return { kind, text: this.#own.value };
    if (kind === 'file' && this.#file) return { kind, file: this.#file };
    return { kind: kind === 'brackets' ? 'brackets' : 'code' };
  }

  /** Shows a choice that was made earlier. */
  show(source: TextSource): void {
    if (source.kind === 'own') this.#own.value = source.text;
    if (source.kind === 'file') this.#takeFile(source.file);
    this.#select.value = source.kind;
    this.#explain();
  }

  /** Accepts a file. Only the worker reads it. */
  open(file: File): void {
    this.#takeFile(file);
    this.#changed();
  }

  #takeFile(file: File): void {
    this.#file = file;
    const option = byId<HTMLOptionElement>('file-option');
    option.hidden = false;
    option.textContent = file.name;
    this.#select.value = 'file';
  }

  #changed(): void {
    this.#explain();
    this.#onChange(this.source);
  }

  #explain(): void {
    const { source } = this;
    byId('own-field').hidden = source.kind !== 'own';
    byId('source-help').textContent =
      source.kind === 'file' ? `${grouped(source.file.size)} bytes, read as UTF-8.` : explanations[source.kind];
  }
}
