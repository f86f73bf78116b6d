// The canvas of one photo where answers of the server come late: nothing of one photo reaches another.
import assert from 'node:assert/strict';
import test from 'node:test';
import { start } from '../../ui/static/mask/main.js';
import { go } from '../../ui/static/photos/address.js';
import { FakeElement, FakeEvent, askedServer, openPage, settled, widget } from './page.mjs';

const SIDE = 8;
const EMPTY = [SIDE * SIDE];

const photoOf = (id, fields = {}) => ({
  id, name: `${id}.png`, label: 'bolt', split: 'train', width: SIDE, height: SIDE, origin: '', doubts: ['loose'], excluded: false,
  editable: true, usable: true, image: '', create: '', ...fields,
});

class Canvas {
  constructor(search) {
    this.document = openPage(search).document;
    this.server = askedServer();
    const { element, part, root } = widget('.mask', 'mask.html');
    Object.assign(this, { part, root, stored: 0 });
    start({ element, trigger: (name) => { if (name === 'stored') this.stored += 1; }, server: this.server });
  }

  press(key) {
    this.document.dispatchEvent(new FakeEvent('keydown', { key, target: this.root, composedPath: () => [new FakeElement()] }));
  }

  // At a pixel of the photo, which fits the canvas with a margin.
  pointer(type, x, y) {
    const place = (pixel) => 2 + (96 / SIDE) * (pixel + 0.5);
    const fields = { button: 0, pointerId: 1, pointerType: 'mouse', clientX: place(x), clientY: place(y), shiftKey: false };
    this.part('canvas').dispatchEvent(new FakeEvent(type, fields));
  }

  draw(x = 4, y = 4) {
    this.pointer('pointerdown', x, y);
    this.pointer('pointerup', x, y);
  }

  asked(name) { return this.server.calls.filter((call) => call.name === name); }

  // The newest question of a name.
  last(name) { return this.asked(name).at(-1); }

  async answer(call, value) {
    call.answer(value);
    await settled();
  }

  opens(id, call = this.last('photo')) {
    const neighbours = { previous: id === 'b' ? 'a' : null, next: id === 'a' ? 'b' : null };
    return this.answer(call, { photo: photoOf(id), mask: EMPTY, neighbours });
  }

  get name() { return this.part('name').textContent; }

  // Whether Save would send something.
  get unsaved() { return !this.root.querySelector('[data-act="save"]').disabled; }

  // Whether the browser would ask before the page is left.
  get keepsDrafts() {
    let kept = false;
    window.dispatchEvent(new FakeEvent('beforeunload', { preventDefault: () => { kept = true; } }));
    return kept;
  }
}

async function opened(search = '?photo=a') {
  const canvas = new Canvas(search);
  await canvas.opens('a');
  return canvas;
}

test('until the next photo has come nothing is done to the one that is still seen', async () => {
  const canvas = await opened();
  canvas.draw();
  canvas.press('ArrowRight');
  for (const key of ['s', 'e', 'a']) canvas.press(key);
  canvas.draw(1, 1);
  assert.deepEqual(canvas.server.calls.map(({ name }) => name), ['photo', 'photo']);
  await canvas.opens('b');
  assert.deepEqual([canvas.name, canvas.unsaved], ['b.png', false]);
});

test('a stroke that was begun on one photo is not drawn on the next one', async () => {
  const canvas = await opened();
  canvas.pointer('pointerdown', 1, 1);
  canvas.press('ArrowRight');
  await canvas.opens('b');
  canvas.pointer('pointermove', 5, 5);
  canvas.pointer('pointerup', 5, 5);
  assert.equal(canvas.unsaved, false);
});

test('an answer about a photo that was left and opened again is not taken for the new opening', async () => {
  const canvas = await opened();
  canvas.root.listeners.click[0]({ target: { closest: () => ({ dataset: { act: 'automatic' } }) } });
  canvas.press('ArrowRight');
  await canvas.opens('b');
  canvas.press('ArrowLeft');
  await canvas.opens('a');
  await canvas.answer(canvas.last('automatic'), { mask: [0, SIDE * SIDE] });
  assert.deepEqual([canvas.name, canvas.unsaved], ['a.png', false]);
  assert.equal(canvas.part('busy').hidden, true);
});

test('what was stored of a photo that is left is told to the page and leaves the open photo alone', async () => {
  const canvas = await opened();
  canvas.draw();
  canvas.press('s');
  const sent = canvas.last('save');
  canvas.press('ArrowRight');
  await canvas.opens('b');
  canvas.draw(1, 1);
  assert.equal(canvas.keepsDrafts, true);
  await canvas.answer(sent, { photo: photoOf('a') });
  assert.deepEqual([canvas.stored, canvas.name, canvas.unsaved], [1, 'b.png', true]);
  canvas.press('s');
  assert.equal(canvas.last('save').args[0][0], 'b');
  await canvas.answer(canvas.last('save'), { photo: photoOf('b') });
  assert.deepEqual([canvas.stored, canvas.unsaved, canvas.keepsDrafts], [2, false, false]);
});

test('in the check a late answer does not close the next photo', async () => {
  const canvas = await opened('?check=1&photo=a');
  canvas.press('e');
  const sent = canvas.last('exclude');
  canvas.press('ArrowRight');
  await canvas.opens('b');
  await canvas.answer(sent, { photo: photoOf('a', { excluded: true }) });
  assert.deepEqual([canvas.stored, canvas.name, canvas.root.hidden], [1, 'b.png', false]);
  canvas.press('e');
  await canvas.answer(canvas.last('exclude'), { photo: photoOf('b', { excluded: true }) });
  assert.deepEqual([canvas.root.hidden, location.search], [true, '?check=1']);
});

for (const search of ['?photo=a', '?check=1&photo=a']) {
  test(`a stroke that ends while the outline is saved stays unsaved at ${search}`, async () => {
    const canvas = await opened(search);
    canvas.draw();
    canvas.pointer('pointerdown', 0, 0);
    canvas.press('s');
    canvas.pointer('pointerup', 0, 0);
    await canvas.answer(canvas.last('save'), { photo: photoOf('a') });
    assert.deepEqual([canvas.root.hidden, canvas.unsaved, canvas.keepsDrafts], [false, true, true]);
    canvas.press('s');
    assert.notDeepEqual(canvas.last('save').args[0][1], canvas.asked('save')[0].args[0][1]);
    await canvas.answer(canvas.last('save'), { photo: photoOf('a') });
    assert.equal(canvas.keepsDrafts, false);
  });
}

test('a photo that is opened again while its outline is saved keeps the outline', async () => {
  const canvas = await opened();
  canvas.draw();
  canvas.press('s');
  const sent = canvas.last('save');
  canvas.press('ArrowRight');
  await canvas.opens('b');
  canvas.press('ArrowLeft');
  await canvas.answer(sent, { photo: photoOf('a') });
  await canvas.opens('a');
  assert.deepEqual([canvas.unsaved, canvas.root.querySelector('[data-act="undo"]').disabled], [false, false]);
});

test('a saved outline that is undone is a draft again', async () => {
  const canvas = await opened();
  canvas.draw();
  canvas.press('s');
  await canvas.answer(canvas.last('save'), { photo: photoOf('a') });
  canvas.document.dispatchEvent(new FakeEvent('keydown', { key: 'z', ctrlKey: true, composedPath: () => [new FakeElement()] }));
  assert.deepEqual([canvas.unsaved, canvas.keepsDrafts], [true, true]);
});

test('a photo that does not come is said, and the next one opens', async () => {
  const canvas = await opened();
  canvas.press('ArrowRight');
  await canvas.answer(canvas.last('photo'), Promise.reject(new Error('no connection')));
  assert.match(canvas.part('doubts').textContent, /did not answer/);
  go({ photo: 'a' });
  await canvas.opens('a');
  assert.equal(canvas.name, 'a.png');
});
