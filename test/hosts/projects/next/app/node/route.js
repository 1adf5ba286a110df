import * as tapeloop from 'tapeloop';
import * as data from 'tapeloop/data';
import { train } from '../../training.mjs';

export const runtime = 'nodejs';
export const dynamic = 'force-dynamic';

export async function GET() {
  return Response.json(await train(tapeloop, data));
}
