import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import test from 'node:test';
import { archiveName, crc32, filesBelow, isHidden, zipped } from '../../ui/static/photos/folder_zip.js';

const entry = (path, text) => ({ path, file: new Blob([text]) });

test('the checksum is that of the zip format', () => {
  assert.equal(crc32(new TextEncoder().encode('123456789')), 0xcbf43926);
  assert.equal(crc32(new Uint8Array()), 0);
});

test('a zip reader finds the files with their folders, names and contents', async () => {
  const counts = [];
  const blob = await zipped(
    [entry('set/bolt/1.jpg', 'one'), entry('set/Dübel/2.jpg', 'two'), entry('set/.DS_Store', 'x'), entry('set/empty.txt', '')],
    (done, count) => counts.push([done, count]),
  );
  assert.deepEqual(counts, [[1, 3], [2, 3], [3, 3]]);
  const folder = mkdtempSync(join(tmpdir(), 'zip-'));
  try {
    writeFileSync(join(folder, 'a.zip'), Buffer.from(await blob.arrayBuffer()));
    const script = 'import json, sys, zipfile; z = zipfile.ZipFile(sys.argv[1]); '
      + 'assert z.testzip() is None; print(json.dumps({n: z.read(n).decode() for n in z.namelist()}))';
    const read = execFileSync('python3', ['-c', script, join(folder, 'a.zip')], { encoding: 'utf8' });
    assert.deepEqual(JSON.parse(read), { 'set/bolt/1.jpg': 'one', 'set/Dübel/2.jpg': 'two', 'set/empty.txt': '' });
  } finally {
    rmSync(folder, { recursive: true });
  }
});

test('a folder that a zip cannot hold is refused with the remedy', async () => {
  const large = { path: 'a/1.jpg', file: { size: 5e9, arrayBuffer: () => assert.fail('is not read') } };
  await assert.rejects(zipped([large]), /choose its sub-folders one after the other/);
});

test('dropped folders are read to their end, part by part', async () => {
  const file = (fullPath) => ({ isFile: true, fullPath, file: (found) => found(new Blob([fullPath])) });
  const folder = (...parts) => ({ isFile: false, createReader: () => ({ readEntries: (found) => found(parts.shift() ?? []) }) });
  const files = await filesBelow([folder([file('/set/1.jpg')], [folder([file('/set/bolt/2.jpg')])])]);
  assert.deepEqual(files.map(({ path }) => path), ['set/1.jpg', 'set/bolt/2.jpg']);
});

test('the archive is called after the folder, and hidden files stay out', () => {
  assert.equal(archiveName([entry('set/a/1.jpg', ''), entry('set/b/1.jpg', '')]), 'set.zip');
  assert.equal(archiveName([entry('a/1.jpg', ''), entry('b/1.jpg', '')]), 'folders.zip');
  assert.deepEqual(['a/.x/1.jpg', '__MACOSX/1.jpg', 'a/1.jpg'].map(isHidden), [true, true, false]);
});
