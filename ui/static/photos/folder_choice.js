// A folder for the import: chosen by the button, or dropped on the zone for files. It goes there as one .zip.
import { archiveName, filesBelow, zipped } from './folder_zip.js';

const ZONE = '#import-files';
const FRAMES = 120; // to wait for the zone's own field after it was cleared

const nextFrame = () => new Promise((resolve) => requestAnimationFrame(resolve));

// Give files to the zone, as if they had been chosen there; what it holds is replaced.
async function give(files) {
  document.querySelector(`${ZONE} button[aria-label="Clear"]`)?.click();
  let field = null;
  for (let frame = 0; frame < FRAMES && !field; frame += 1) {
    field = document.querySelector(`${ZONE} input[type=file]`);
    if (!field) await nextFrame();
  }
  if (!field) throw new Error('The folder cannot be taken over; reload the page and choose it again.');
  const transfer = new DataTransfer();
  for (const file of files) transfer.items.add(file);
  field.files = transfer.files;
  field.dispatchEvent(new Event('change', { bubbles: true }));
}

export function start({ element }) {
  const part = (name) => element.querySelector(`[data-part="${name}"]`);
  const say = (sentence) => { part('state').textContent = sentence; };

  async function take(entries, others = []) {
    try {
      const archive = await zipped(entries, (done, count) => say(`reading the folder: ${done} of ${count} files`));
      await give([new File([archive], archiveName(entries), { type: 'application/zip' }), ...others]);
      say('');
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

  const drop = (event) => {
    if (!element.isConnected) return document.removeEventListener('drop', drop, true);
    if (!event.target.closest?.(ZONE)) return;
    const entries = [...event.dataTransfer.items].map((item) => item.webkitGetAsEntry?.()).filter(Boolean);
    const folders = entries.filter((entry) => entry.isDirectory);
    if (!folders.length) return; // the zone takes files itself
    event.preventDefault();
    event.stopPropagation();
    const loose = [...event.dataTransfer.files].filter((file) => entries.some((entry) => entry.isFile && entry.name === file.name));
    say('reading the folder');
    filesBelow(folders).then((files) => take(files, loose), (error) => say(error.message));
  };
  document.addEventListener('drop', drop, true); // before the zone, which would take a folder for a file
}
