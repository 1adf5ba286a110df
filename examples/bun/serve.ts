// Watches live readings over a WebSocket: bun serve.ts READINGS [PORT]. READINGS is a text file to learn from, with one
// number a line.
import { adam, dense, gru, ndarray, type Stream, sequential, setSeed } from 'tapeloop';

const [file = 'readings.txt', port = '3000'] = Bun.argv.slice(2);
const time = 50;
const readings = Float32Array.from((await Bun.file(file).text()).trim().split(/\s+/), Number);
const mean = readings.reduce((sum, value) => sum + value, 0) / readings.length;
const scale = Math.sqrt(readings.reduce((sum, value) => sum + (value - mean) ** 2, 0) / readings.length) || 1;

// Windows of readings. The target of each is the window one reading later.
const count = Math.floor((readings.length - 1) / time);
const scaled = readings.map((value) => (value - mean) / scale);
const [x, y] = [0, 1].map((shift) => ndarray(scaled.slice(shift, shift + count * time), [count, time, 1]));

setSeed(1);
const model = sequential([gru({ units: 24, returnSequences: true, inputShape: [null, 1] }), dense({ units: 1 })]);
model.compile({ optimizer: adam({ learningRate: 0.01 }), loss: 'meanSquaredError' });
const { history } = await model.fit(x!, y!, { epochs: 40, batchSize: 16 });
console.log(`learned ${readings.length} readings, mean squared error ${history.loss!.at(-1)!.toExponential(1)}`);

/** The data of a connection: its own stream, and the value that the stream expects next. */
interface Watch {
  stream: Stream;
  expected: number | undefined;
}

const server = Bun.serve({
  port: Number(port),
  hostname: '127.0.0.1',
  fetch(request, server) {
    const data: Watch = { stream: model.stream(), expected: undefined };
    if (server.upgrade(request, { data })) return;
    data.stream.dispose();
    return new Response('expected a WebSocket\n', { status: 426 });
  },
  websocket: {
    message(socket: { data: Watch; send(text: string): void }, message: string) {
      const { stream, expected } = socket.data;
      try {
        const value = Number(message);
        const [next] = stream.step([(value - mean) / scale]);
        socket.data.expected = next! * scale + mean;
        socket.send(JSON.stringify({ value, expected, surprise: expected && Math.abs(value - expected) / scale }));
      } catch (error) {
        socket.send(JSON.stringify({ error: (error as Error).message }));
      }
    },
    close: (socket: { data: Watch }) => socket.data.stream.dispose(),
  },
});
console.log(`listening on ${server.url}`);
