import { createServer, type IncomingHttpHeaders, type IncomingMessage, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { gzipSync } from 'node:zlib';

/** A server of one file over HTTP whose faults a test chooses. */
export class FileServer {
  file: Uint8Array;
  etag: string | undefined = '"v1"';
  /** Whether it answers requests for ranges. */
  ranges = true;
  status = 200;
  /** Sends so many bytes of an answer, waits for `cut`, and ends the connection. */
  cutAfter: number | undefined;
  /** Sends so many bytes of an answer and waits for `go` before the rest. */
  holdAfter: number | undefined;
  compress = false;
  /** The headers of each request. */
  readonly requests: IncomingHttpHeaders[] = [];
  /** Called to cut the connection, once the client has what was sent. */
  cut = (): void => {};
  go = (): void => {};
  readonly #server = createServer((request, response) => this.#answer(request, response));

  constructor(file: Uint8Array) {
    this.file = file;
  }

  /** Listens, and returns the file's address. */
  async start(): Promise<string> {
    await new Promise<void>((resolve) => this.#server.listen(0, '127.0.0.1', resolve));
    return `http://127.0.0.1:${(this.#server.address() as AddressInfo).port}/data/some file.bin?x=1`;
  }

  async stop(): Promise<void> {
    this.#server.closeAllConnections();
    await new Promise((resolve) => this.#server.close(resolve));
  }

  async #answer(request: IncomingMessage, response: ServerResponse): Promise<void> {
    this.requests.push(request.headers);
    if (this.etag !== undefined) response.setHeader('etag', this.etag);
    const [status, body] = this.#contentFor(request.headers, response);
    response.writeHead(status, { 'content-length': body.length });
    const { cutAfter, holdAfter } = this;
    if (cutAfter !== undefined) {
      this.cut = () => response.destroy();
      response.write(body.subarray(0, cutAfter));
    } else if (holdAfter !== undefined) {
      const released = new Promise<void>((resolve) => {
        const before = this.go;
        this.go = () => {
          before();
          resolve();
        };
      });
      response.write(body.subarray(0, holdAfter));
      await released;
      response.end(body.subarray(holdAfter));
    } else {
      response.end(body);
    }
  }

  #contentFor({ range, ...headers }: IncomingHttpHeaders, response: ServerResponse): [number, Uint8Array] {
    if (this.status !== 200) return [this.status, new TextEncoder().encode('<html>')];
    const from = Number(/^bytes=(\d+)-$/.exec(range ?? '')?.[1]);
    if (this.ranges && !Number.isNaN(from) && headers['if-range'] === this.etag) {
      const { length } = this.file;
      response.setHeader(
        'content-range',
        from < length ? `bytes ${from}-${length - 1}/${length}` : `bytes */${length}`,
      );
      return from < length ? [206, this.file.subarray(from)] : [416, new Uint8Array()];
    }
    if (!this.compress) return [200, this.file];
    response.setHeader('content-encoding', 'gzip');
    return [200, gzipSync(this.file)];
  }
}
