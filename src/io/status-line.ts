/** The part of a writable stream that is used here; a terminal is one that says so. */
export interface TextStream {
  write(text: string): unknown;
  isTTY?: boolean;
  columns?: number;
}

/**
 * The last line of a terminal, drawn again and again in place until it is kept; elsewhere only what is kept is written.
 */
export class StatusLine {
  readonly #stream: TextStream;
  #shown = '';

  constructor(stream: TextStream) {
    this.#stream = stream;
  }

  /** Characters that fit: a line that wraps could not be drawn again in place. */
  get width(): number {
    return this.#stream.isTTY ? (this.#stream.columns || 80) - 1 : Number.POSITIVE_INFINITY;
  }

  /** Draws a text in the place of the one before. */
  draw(text: string): void {
    if (!this.#stream.isTTY) return;
    this.#shown = text.slice(0, this.width);
    this.#stream.write(`\r${this.#shown}\x1b[K`);
  }

  /** Writes a text in the place of the one before, to stay: the whole of it, since it is not drawn again. */
  keep(text: string): void {
    this.#shown = '';
    this.#stream.write(this.#stream.isTTY ? `\r${text}\x1b[K\n` : `${text}\n`);
  }

  /** Keeps what is drawn, if anything is. */
  end(): void {
    if (this.#shown !== '') this.keep(this.#shown);
  }

  /** Writes a line that stays above the one that is drawn. */
  above(text: string): void {
    this.#stream.write(this.#shown === '' ? `${text}\n` : `\r\x1b[K${text}\n${this.#shown}`);
  }
}
