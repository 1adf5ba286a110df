// A server component.
import * as tapeloop from 'tapeloop';
import * as data from 'tapeloop/data';
import { train } from '../training.mjs';

export const dynamic = 'force-dynamic';

export default async function Page() {
  return <pre>{JSON.stringify(await train(tapeloop, data))}</pre>;
}
