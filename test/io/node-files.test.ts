import nodeFs, {
  lstatSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
  symlinkSync,
  utimesSync,
  writeFileSync,
} from 'node:fs';
import { constants, tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { FileError } from '../../src/io/file-error.ts';
import { type FileSystem, readFileChecked, writeFileAtomic } from '../../src/io/node-files.ts';

let folder: string;
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'tapeloop-test-'));
});
afterEach(() => rmSync(folder, { recursive: true, force: true }));

const bytes = new TextEncoder().encode('new content');

function systemError(code: 'ENOSPC' | 'EACCES' | 'EIO'): NodeJS.ErrnoException {
  return Object.assign(new Error(`${code}: as the system says it`), { code, errno: -constants.errno[code] });
}

/** node:fs, but one call fails; a write fails after half of its bytes, as on a disk that fills up. */
function failing(call: keyof FileSystem, code: 'ENOSPC' | 'EACCES' | 'EIO'): FileSystem {
  const fail = (...args: unknown[]) => {
    if (call === 'writeFileSync') {
      const content = args[1] as Uint8Array;
      nodeFs.writeSync(args[0] as number, content.subarray(0, content.length >> 1));
    }
    throw systemError(code);
  };
  return { ...nodeFs, [call]: fail };
}

function caught(run: () => void): FileError {
  try {
    run();
  } catch (error) {
    if (error instanceof FileError) return error;
    throw error;
  }
  throw new Error('expected a FileError, got none');
}

describe('writeFileAtomic', () => {
  test('new file, writes the bytes and leaves nothing else', () => {
    const path = join(folder, 'model.safetensors');
    writeFileAtomic(path, bytes);
    expect(readFileSync(path, 'utf8')).toBe('new content');
    expect(readdirSync(folder)).toEqual(['model.safetensors']);
  });

  test('existing file, replaces the content and keeps the permissions', () => {
    const path = join(folder, 'model');
    writeFileSync(path, 'an old and longer content', { mode: 0o640 });
    writeFileAtomic(path, bytes);
    expect(readFileSync(path, 'utf8')).toBe('new content');
    expect(statSync(path).mode & 0o777).toBe(0o640);
  });

  test('symbolic link, replaces what it points to', () => {
    mkdirSync(join(folder, 'store'));
    writeFileSync(join(folder, 'store', 'real'), 'old');
    symlinkSync(join('store', 'real'), join(folder, 'link'));
    writeFileAtomic(join(folder, 'link'), bytes);
    expect(readFileSync(join(folder, 'store', 'real'), 'utf8')).toBe('new content');
    expect(readdirSync(join(folder, 'store'))).toEqual(['real']);
  });

  test('symbolic link to a file that is not there yet, makes that file and stays', () => {
    mkdirSync(join(folder, 'store'));
    symlinkSync(join('store', 'second'), join(folder, 'first'));
    symlinkSync('real', join(folder, 'store', 'second'));
    writeFileAtomic(join(folder, 'first'), bytes);
    expect(readFileSync(join(folder, 'store', 'real'), 'utf8')).toBe('new content');
    expect(readdirSync(folder)).toEqual(['first', 'store']);
    expect(lstatSync(join(folder, 'first')).isSymbolicLink()).toBe(true);
    writeFileAtomic(join(folder, 'first'), new TextEncoder().encode('newer'));
    expect(readFileSync(join(folder, 'store', 'real'), 'utf8')).toBe('newer');
  });

  test('symbolic link into a folder that is not there, or to itself, is refused and stays', () => {
    symlinkSync(join('none', 'real'), join(folder, 'link'));
    symlinkSync('loop', join(folder, 'loop'));
    expect(caught(() => writeFileAtomic(join(folder, 'link'), bytes)).code).toBe('ENOENT');
    expect(caught(() => writeFileAtomic(join(folder, 'loop'), bytes)).code).toBe('ELOOP');
    expect(readdirSync(folder)).toEqual(['link', 'loop']);
  });

  test('temporary files of a day ago, removes; younger ones and files of others, leaves', () => {
    const age = (name: string, days: number): void => {
      writeFileSync(join(folder, name), '');
      const then = statSync(folder).mtimeMs / 1000 - days * 86_400;
      utimesSync(join(folder, name), then, then);
    };
    age('.tapeloop-0123456789ab.tmp', 1.1);
    age('.tapeloop-ba9876543210.tmp', 0.9);
    age('.tapeloop-notes.tmp', 9);
    age('model.tmp', 9);
    writeFileAtomic(join(folder, 'model'), bytes);
    expect(readdirSync(folder)).toEqual(['.tapeloop-ba9876543210.tmp', '.tapeloop-notes.tmp', 'model', 'model.tmp']);
  });

  test('temporary files that cannot be looked through, are no reason to fail', () => {
    const fs = failing('readdirSync', 'EACCES');
    writeFileAtomic(join(folder, 'model'), bytes, fs);
    expect(readFileSync(join(folder, 'model'), 'utf8')).toBe('new content');
  });

  test('name of 255 bytes, writes it', () => {
    const path = join(folder, 'n'.repeat(255));
    writeFileAtomic(path, bytes);
    expect(readFileSync(path, 'utf8')).toBe('new content');
  });

  test.each([
    ['writeFileSync', 'ENOSPC', 'cannot write PATH: no space left on device (ENOSPC)'],
    ['fsyncSync', 'ENOSPC', 'cannot flush PATH: no space left on device (ENOSPC)'],
    ['closeSync', 'EIO', 'cannot flush PATH: i/o error (EIO)'],
    ['openSync', 'EACCES', 'cannot create a temporary file beside PATH: permission denied (EACCES)'],
    ['renameSync', 'EACCES', 'cannot replace PATH: permission denied (EACCES)'],
  ] as const)('%s fails with %s, keeps the old file, removes the temporary one, says why', (call, code, message) => {
    const path = join(folder, 'model');
    writeFileSync(path, 'old');
    const error = caught(() => writeFileAtomic(path, bytes, failing(call, code)));
    expect(error.message).toBe(message.replace('PATH', path));
    expect(error).toMatchObject({ path, code });
    expect(readFileSync(path, 'utf8')).toBe('old');
    expect(readdirSync(folder)).toEqual(['model']);
  });

  test('temporary file that cannot be removed either, still says what went wrong first', () => {
    const fs = { ...failing('writeFileSync', 'ENOSPC'), rmSync: failing('rmSync', 'EACCES').rmSync };
    expect(caught(() => writeFileAtomic(join(folder, 'model'), bytes, fs)).code).toBe('ENOSPC');
  });

  test('write fails, leaves no file open', () => {
    let opened = -1;
    const fs: FileSystem = {
      ...failing('writeFileSync', 'ENOSPC'),
      openSync: (...args) => (opened = nodeFs.openSync(...args)),
    };
    expect(caught(() => writeFileAtomic(join(folder, 'model'), bytes, fs)).code).toBe('ENOSPC');
    expect(() => nodeFs.fstatSync(opened)).toThrow('EBADF');
  });

  test('folder missing, says so', () => {
    const path = join(folder, 'none', 'model');
    expect(caught(() => writeFileAtomic(path, bytes)).message).toBe(
      `cannot create a temporary file beside ${path}: no such file or directory (ENOENT)`,
    );
  });

  test('path that is a folder, refuses and leaves it', () => {
    const path = join(folder, 'model');
    mkdirSync(path);
    expect(caught(() => writeFileAtomic(path, bytes)).message).toContain(
      `cannot write to ${path}: expected a regular file`,
    );
    expect(readdirSync(folder)).toEqual(['model']);
  });

  test('path that is a device, refuses instead of replacing it', () => {
    const device = { ...nodeFs, statSync: (() => statSync('/dev/null')) as unknown as typeof nodeFs.statSync };
    const path = join(folder, 'null');
    writeFileSync(path, 'device');
    expect(caught(() => writeFileAtomic(path, bytes, device)).message).toContain('expected a regular file');
    expect(readFileSync(path, 'utf8')).toBe('device');
  });
});

describe('readFileChecked', () => {
  test('file, gives its bytes in a buffer of their own', () => {
    writeFileSync(join(folder, 'small'), bytes);
    const read = readFileChecked(join(folder, 'small'));
    expect(read).toEqual(bytes);
    expect(read.buffer.byteLength).toBe(bytes.length);
  });

  test.each([
    ['file missing', 'none', 'no such file or directory (ENOENT)'],
    ['folder', '.', 'expected a file, got a folder'],
    ['path through a file', 'small/x', 'not a directory (ENOTDIR)'],
  ])('%s, says path and reason', (_, name, reason) => {
    writeFileSync(join(folder, 'small'), bytes);
    const path = `${folder}/${name}`;
    expect(caught(() => readFileChecked(path)).message).toBe(`cannot read ${path}: ${reason}`);
  });

  test('endless device, refuses', () => {
    expect(caught(() => readFileChecked('/dev/zero')).message).toBe(
      'cannot read /dev/zero: expected a file, got a device',
    );
  });

  test('no permission, says so', () => {
    const path = join(folder, 'small');
    writeFileSync(path, bytes);
    expect(caught(() => readFileChecked(path, failing('readFileSync', 'EACCES'))).message).toBe(
      `cannot read ${path}: permission denied (EACCES)`,
    );
  });
});
