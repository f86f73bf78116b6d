// A folder for the import: chosen by the button, or dropped on the zone for files. It goes there as one .zip.
import { archiveName, filesBelow, zipped } from './folder_zip.js';

const ZONE = '#import-files';
const FRAMES = 120; // to wait for the zone's own field after it was cleared

const nextFrame = () => new Promise((resolve) => requestAnimationFrame(resolve));

// Clear the zone and return its own field for files.
async function clearedField() {
  document.querySelector(`${ZONE} button[aria-label="Clear"]`)?.click();
  let field = null;
  for (let frame = 0; frame < FRAMES && !field; frame += 1) {
    field = document.querySelector(`${ZONE} input[type=file]`);
    if (!field) await nextFrame();
  }
  if (!field) throw new Error('The folder cannot be taken over; reload the page and choose it again.');
  return field;
}

// Give files to the zone, as if they had been chosen there.
function give(field, files) {
  const transfer = new DataTransfer();
  for (const file of files) transfer.items.add(file);
  field.files = transfer.files;
  field.dispatchEvent(new Event('change', { bubbles: true }));
}

export function start({ element }) {
  const part = (name) => element.querySelector(`[data-part="${name}"]`);
  let choice = 0; // what was read for an earlier one is dropped

  // Read the files that `found` resolves to, { path, file }, and give them to the zone with the loose ones.
  async function take(found, others = []) {
    const own = (choice += 1);
    const isLatest = () => own === choice;
    const say = (sentence) => { if (isLatest()) part('state').textContent = sentence; };
    try {
      say('reading the folder');
      const entries = await found;
      const archive = await zipped(entries, (done, count) => say(`reading the folder: ${done} of ${count} files`));
      if (!isLatest()) return;
      const field = await clearedField();
      if (!isLatest()) return;
      say('');
      give(field, [new File([archive], archiveName(entries), { type: 'application/zip' }), ...others]);
    } catch (error) {
      say(error.message);
    }
  }

  element.addEventListener('click', (event) => {
    if (event.target.closest('[data-act="choose"]')) part('input').click();
  });
  element.addEventListener('change', (event) => {
    if (event.target !== part('input')) return;
    const files = [...event.target.files];
    event.target.value = '';
    if (files.length) take(files.map((file) => ({ path: file.webkitRelativePath, file })));
  });

  // The zone takes files itself, in place of a folder that is still being read.
  const taken = () => {
    choice += 1;
    part('state').textContent = '';
  };
  const change = (event) => {
    if (!element.isConnected) return document.removeEventListener('change', change, true);
    if (event.target.closest?.(ZONE)) taken();
  };
  document.addEventListener('change', change, true);
  const drop = (event) => {
    if (!element.isConnected) return document.removeEventListener('drop', drop, true);
    if (!event.target.closest?.(ZONE)) return;
    const entries = [...event.dataTransfer.items].map((item) => item.webkitGetAsEntry?.()).filter(Boolean);
    const folders = entries.filter((entry) => entry.isDirectory);
    if (!folders.length) return taken();
    event.preventDefault();
    event.stopPropagation();
    const loose = [...event.dataTransfer.files].filter((file) => entries.some((entry) => entry.isFile && entry.name === file.name));
    take(filesBelow(folders), loose);
  };
  document.addEventListener('drop', drop, true); // before the zone, which would take a folder for a file
}
