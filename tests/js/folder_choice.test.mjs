// Folders for the import, of which one is read while another is chosen.
import assert from 'node:assert/strict';
import test from 'node:test';
import { start } from '../../ui/static/photos/folder_choice.js';
import { deferred } from './helpers.mjs';
import { FakeEvent, openPage, settled, widget } from './page.mjs';

class Zone {
  constructor() {
    this.document = openPage().document;
    globalThis.DataTransfer = class { files = []; items = { add: (file) => this.files.push(file) }; };
    const { element, part } = widget('.folder-choice', 'photos/folder_choice.html');
    element.querySelector = (selector) => part(/"(\w+)"/.exec(selector)[1]);
    Object.assign(this, { element, part });
    start({ element });
  }

  // Choose a folder of one file, whose bytes come when the test says so.
  choose(name) {
    const bytes = deferred();
    const file = { webkitRelativePath: `${name}/bolt/1.png`, size: 1, arrayBuffer: () => bytes.promise };
    const target = Object.assign(this.part('input'), { files: [file] });
    this.element.dispatchEvent(new FakeEvent('change', { target }));
    return async () => {
      bytes.resolve(new ArrayBuffer(1));
      await settled();
    };
  }

  // The names of the files that the zone was given.
  get given() { return (this.document.querySelector('#import-files input[type=file]').files ?? []).map(({ name }) => name); }

  get state() { return this.part('state').textContent; }
}

test('of two folders the one that was chosen last is taken, whichever is read first', async () => {
  const zone = new Zone();
  const [first, second] = [zone.choose('first'), zone.choose('second')];
  await second();
  assert.deepEqual([zone.given, zone.state], [['second.zip'], '']);
  await first();
  assert.deepEqual([zone.given, zone.state], [['second.zip'], '']);
});

test('files that the zone takes itself are not replaced by a folder that was chosen before', async () => {
  const zone = new Zone();
  const read = zone.choose('first');
  assert.equal(zone.state, 'reading the folder');
  zone.document.dispatchEvent(new FakeEvent('change', { target: { closest: () => ({}) } }));
  await read();
  assert.deepEqual([zone.given, zone.state], [[], '']);
});
