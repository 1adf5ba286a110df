/** The part of a writable stream that is used here. `isTTY` marks a terminal. */
export interface TextStream {
  write(text: string): unknown;
  isTTY?: boolean;
  columns?: number;
}

/**
 * The last line of a terminal. It is redrawn in place until it is kept. On other streams only kept lines are written.
 */
export class StatusLine {
  readonly #stream: TextStream;
  #shown = '';

  constructor(stream: TextStream) {
    this.#stream = stream;
  }

  /** The number of characters that fit. A line that wraps cannot be redrawn in place. */
  get width(): number {
    return this.#stream.isTTY ? (this.#stream.columns || 80) - 1 : Number.POSITIVE_INFINITY;
  }

  /** Draws a text in place of the previous one. It is cut to the width. */
  draw(text: string): void {
    if (!this.#stream.isTTY) return;
    this.#shown = text.slice(0, this.width);
    this.#stream.write(`\r${this.#shown}\x1b[K`);
  }

  /** Writes a permanent text in place of the drawn one. It is not cut, because it is not redrawn. */
  keep(text: string): void {
    this.#shown = '';
    this.#stream.write(this.#stream.isTTY ? `\r${text}\x1b[K\n` : `${text}\n`);
  }

  /** Keeps the drawn text, if there is one. */
  end(): void {
    if (this.#shown !== '') this.keep(this.#shown);
  }

  /** Writes a permanent line above the drawn one. */
  above(text: string): void {
    this.#stream.write(this.#shown === '' ? `${text}\n` : `\r\x1b[K${text}\n${this.#shown}`);
  }
}
