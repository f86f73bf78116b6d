// Packs a folder into one .zip that is not compressed, so that its sub-folders reach the server with its files.
const UTF8 = 0x0800; // flag of an entry: its name is UTF-8
const DATE = 0x0021; // 1 January 1980
export const MOST_BYTES = 0xffffffff; // larger archives and more entries need another format
export const MOST_FILES = 0xffff;

const TABLE = Uint32Array.from({ length: 256 }, (_, byte) => {
  let value = byte;
  for (let bit = 0; bit < 8; bit += 1) value = value & 1 ? (value >>> 1) ^ 0xedb88320 : value >>> 1;
  return value;
});

// Return the CRC-32 of bytes.
export function crc32(bytes) {
  let value = 0xffffffff;
  for (const byte of bytes) value = (value >>> 8) ^ TABLE[(value ^ byte) & 0xff];
  return (value ^ 0xffffffff) >>> 0;
}

// Whether a path names a file that no import reads: what systems leave in folders.
export function isHidden(path) {
  return path.split('/').some((part) => part.startsWith('.') || part === '__MACOSX');
}

function record(fields) {
  const size = fields.reduce((sum, [bytes]) => sum + bytes, 0);
  const view = new DataView(new ArrayBuffer(size));
  let place = 0;
  for (const [bytes, value] of fields) {
    if (bytes === 2) view.setUint16(place, value, true);
    else view.setUint32(place, value, true);
    place += bytes;
  }
  return new Uint8Array(view.buffer);
}

// Return a Blob with the files, each { path, file }; `onFile(done)` is called after each. Throws a sentence where a .zip
// cannot hold them.
export async function zipped(entries, onFile = () => {}) {
  const shown = entries.filter(({ path }) => !isHidden(path));
  const total = shown.reduce((sum, { path, file }) => sum + file.size + 2 * path.length * 3 + 100, 0);
  if (shown.length > MOST_FILES || total > MOST_BYTES) {
    throw new Error('The folder is too large to be sent in one piece; choose its sub-folders one after the other.');
  }
  const parts = [];
  const directory = [];
  let offset = 0;
  let done = 0;
  for (const { path, file } of shown) {
    const name = new TextEncoder().encode(path);
    const crc = crc32(new Uint8Array(await file.arrayBuffer()));
    const common = [[2, 20], [2, UTF8], [2, 0], [2, 0], [2, DATE], [4, crc], [4, file.size], [4, file.size], [2, name.length], [2, 0]];
    const header = record([[4, 0x04034b50], ...common]);
    parts.push(header, name, file);
    directory.push(record([[4, 0x02014b50], [2, 20], ...common, [2, 0], [2, 0], [2, 0], [4, 0], [4, offset]]), name);
    offset += header.length + name.length + file.size;
    done += 1;
    onFile(done, shown.length);
  }
  const size = directory.reduce((sum, bytes) => sum + bytes.length, 0);
  const end = record([[4, 0x06054b50], [2, 0], [2, 0], [2, shown.length], [2, shown.length], [4, size], [4, offset], [2, 0]]);
  return new Blob([...parts, ...directory, end], { type: 'application/zip' });
}

// Return the files below dropped entries (`DataTransferItem.webkitGetAsEntry`), each { path, file }.
export async function filesBelow(entries) {
  const files = [];
  const pending = [...entries];
  while (pending.length) {
    const entry = pending.shift();
    if (entry.isFile) {
      files.push({ path: entry.fullPath.replace(/^\//, ''), file: await new Promise((resolve, reject) => entry.file(resolve, reject)) });
      continue;
    }
    const reader = entry.createReader();
    for (;;) { // a reader answers in parts
      const some = await new Promise((resolve, reject) => reader.readEntries(resolve, reject));
      if (!some.length) break;
      pending.push(...some);
    }
  }
  return files;
}

// Return what the archive of some files is called: after the folder that holds them all.
export function archiveName(entries) {
  const roots = new Set(entries.map(({ path }) => path.split('/')[0]));
  return roots.size === 1 ? `${[...roots][0]}.zip` : 'folders.zip';
}
