import { openTapeloop } from './tapeloop.ts';

export default openTapeloop(true);
