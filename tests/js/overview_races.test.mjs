// The overview of the photos where answers of the server come late: what is asked about is what is changed.
import assert from 'node:assert/strict';
import test from 'node:test';
import { start } from '../../ui/static/photos/overview.js';
import { go } from '../../ui/static/photos/address.js';
import { FakeElement, FakeEvent, askedServer, openPage, settled, widget } from './page.mjs';

const IDS = ['a', 'b', 'c', 'd', 'e'];

class Page {
  constructor() {
    this.document = openPage();
    this.server = askedServer();
    const { element, part, root } = widget('.photos', 'photos/overview.html');
    Object.assign(this, { part, root });
    start({ element, trigger() {}, server: this.server });
  }

  // Answer the newest question about the page of the overview.
  load(ids = IDS) {
    const entries = ids.map((id) => ({ id, name: id, label: 'bolt', split: 'train', thumbnail: '' }));
    const choices = { label: { bolt: ids.length }, split: {}, state: {} };
    const shown = { entries, choices, count: ids.length, total: IDS.length, first: 0, page: 1, pages: 1, may_change: true, demo: 0 };
    return this.answer('photo_page', { ...shown, filling: false });
  }

  last(name) { return this.server.calls.filter((call) => call.name === name).at(-1); }

  async answer(name, value) {
    this.last(name).answer(value);
    await settled();
  }

  press(key, fields = {}) {
    window.dispatchEvent(new FakeEvent('keydown', { key, composedPath: () => [new FakeElement()], ...fields }));
  }

  selectAll() { this.press('a', { ctrlKey: true }); }

  // Turn the selection of the tile with an id.
  toggle(id) {
    const tile = this.part('tiles').children.find((one) => one.dataset.id === id);
    tile.within = '.tile';
    this.part('tiles').dispatchEvent(new FakeEvent('keydown', { key: ' ', target: tile, shiftKey: false }));
  }

  act(name) {
    this.root.dispatchEvent(new FakeEvent('click', { target: { closest: () => ({ dataset: { act: name } }) } }));
  }

  get selected() { return this.part('tiles').children.filter((tile) => tile.classList.has('chosen')).map((tile) => tile.dataset.id); }
}

async function opened(...selected) {
  const page = new Page();
  await page.load();
  for (const id of selected) page.toggle(id);
  return page;
}

async function asked() {
  const page = await opened('a', 'b', 'c');
  page.act('delete');
  await page.answer('samples_of_photos', { samples: 0 });
  return page;
}

test('Delete deletes the photos that the question named', async () => {
  const page = await asked();
  assert.equal(page.part('delete-now').textContent, 'Delete 3');
  assert.deepEqual([page.part('delete-form').hidden, page.part('acts').hidden], [false, true]);
  page.act('delete-now');
  assert.deepEqual(page.last('delete_photos').args, [{ ids: ['a', 'b', 'c'] }]);
});

test('the question about deleting closes when the selection changes', async () => {
  const page = await asked();
  page.toggle('d');
  assert.deepEqual([page.part('delete-form').hidden, page.part('acts').hidden], [true, false]);
});

test('a late answer of Select all closes the question about fewer photos', async () => {
  const page = await opened('a', 'b', 'c');
  page.selectAll();
  page.act('delete');
  await page.answer('samples_of_photos', { samples: 0 });
  await page.answer('photo_ids', { ids: IDS });
  assert.deepEqual(page.selected, IDS);
  assert.equal(page.part('delete-form').hidden, true);
});

test('no question opens about a selection that has changed, nor over another form', async () => {
  const page = await opened('a');
  page.act('delete');
  page.toggle('b');
  await page.answer('samples_of_photos', { samples: 0 });
  assert.equal(page.part('delete-form').hidden, true);
  page.act('delete');
  page.act('class');
  await page.answer('samples_of_photos', { samples: 0 });
  assert.deepEqual([page.part('delete-form').hidden, page.part('class-form').hidden], [true, false]);
});

test('photos that are read anew leave an open question as it is', async () => {
  const page = await asked();
  window.dispatchEvent(new FakeEvent('photos-changed'));
  await page.load(IDS.slice(0, 4));
  assert.deepEqual([page.part('delete-form').hidden, page.part('acts').hidden], [false, true]);
  page.act('delete-now');
  assert.deepEqual(page.last('delete_photos').args[0].ids, ['a', 'b', 'c']);
});

test('the question stays open when an earlier change is done', async () => {
  const page = await opened('a', 'b');
  page.act('exclude');
  page.act('delete');
  await page.answer('samples_of_photos', { samples: 0 });
  await page.answer('exclude_photos', { said: '2 photos excluded.' });
  await page.load();
  assert.equal(page.part('delete-form').hidden, false);
});

test('Select all does nothing after other filters, Escape or another choice', async () => {
  const changes = {
    filter: (page) => { go({ split: 'test' }); return page.load(['e']); },
    escape: (page) => page.press('Escape'),
    choice: (page) => page.toggle('b'),
  };
  for (const [name, change] of Object.entries(changes)) {
    const page = await opened('a');
    page.selectAll();
    await change(page);
    const { selected } = page;
    await page.answer('photo_ids', { ids: IDS });
    assert.deepEqual(page.selected, selected, name);
  }
});

test('what an earlier filter matched takes nothing from a selection under the next one', async () => {
  const page = new Page();
  go({ label: 'bolt' });
  await page.load();
  page.toggle('a');
  page.act('exclude');
  await page.answer('exclude_photos', { said: '1 photo excluded.' });
  await page.load();
  go({ label: 'gear' });
  await page.load(['d', 'e']);
  page.toggle('d');
  await page.answer('photo_ids', { ids: ['a', 'b', 'c'] });
  assert.deepEqual(page.selected, ['d']);
});
