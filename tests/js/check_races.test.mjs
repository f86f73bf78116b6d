// The check of outlines where answers of the server come late.
import assert from 'node:assert/strict';
import test from 'node:test';
import { start } from '../../ui/static/check.js';
import { go } from '../../ui/static/photos/address.js';
import { FakeElement, FakeEvent, askedServer, openPage, settled, widget } from './page.mjs';

const PHOTOS = ['a', 'b', 'c'].map((id) => ({ id, name: `${id}.png`, label: 'bolt', doubts: [], photo: '', cutout: '' }));

async function opened() {
  const { document } = openPage('?check=1');
  const server = askedServer();
  const { element, part, root } = widget('.check', 'check.html');
  start({ element, trigger() {}, server });
  const press = (key) => document.dispatchEvent(new FakeEvent('keydown', { key, composedPath: () => [new FakeElement()] }));
  const asked = (name) => server.calls.filter((call) => call.name === name);
  const answer = async (call, value) => {
    call.answer(value);
    await settled();
  };
  await answer(asked('photos_to_check')[0], { photos: [...PHOTOS] });
  return { part, root, press, asked, answer };
}

test('keys decide nothing while the photos are read anew', async () => {
  const { part, press, asked, answer } = await opened();
  assert.equal(part('name').textContent, 'a.png');
  go({ photo: 'a' });
  go({ photo: '' });
  assert.deepEqual([part('views').hidden, part('acts').hidden, part('name').textContent], [true, true, '']);
  for (const key of ['a', 'x', 'ArrowRight', 'e']) press(key);
  assert.deepEqual([asked('checked').length, location.search], [0, '?check=1']);
  await answer(asked('photos_to_check')[1], { photos: PHOTOS.slice(1) });
  assert.equal(part('name').textContent, 'b.png');
  press('a');
  assert.deepEqual(asked('checked')[0].args, ['b', 'confirm']);
});

test('an answer of an earlier opening is dropped', async () => {
  const { part, asked, answer } = await opened();
  go({ check: true });
  go({ check: true });
  await answer(asked('photos_to_check')[2], { photos: PHOTOS.slice(2) });
  await answer(asked('photos_to_check')[1], { photos: [] });
  assert.equal(part('name').textContent, 'c.png');
});

test('a photo that is decided while the list is read anew takes no other one with it', async () => {
  const { part, press, asked, answer } = await opened();
  press('a');
  go({ check: false });
  go({ check: true });
  await answer(asked('photos_to_check')[1], { photos: PHOTOS.slice(1) });
  await answer(asked('checked')[0], { problem: '' });
  assert.deepEqual([part('name').textContent, part('count').textContent], ['b.png', 2]);
});

test('where the photos cannot be read nothing is called checked', async () => {
  const { part, asked, answer } = await opened();
  go({ check: true });
  await answer(asked('photos_to_check')[1], Promise.reject(new Error('no connection')));
  assert.match(part('problem').textContent, /did not answer/);
  assert.deepEqual([part('name').textContent, part('onward').hidden], ['', true]);
});

test('a decision that the server did not answer can be taken again', async () => {
  const { part, press, asked, answer } = await opened();
  press('a');
  await answer(asked('checked')[0], Promise.reject(new Error('no connection')));
  assert.deepEqual([part('name').textContent, part('count').textContent], ['a.png', 3]);
  assert.match(part('problem').textContent, /did not answer/);
  press('a');
  await answer(asked('checked')[1], { problem: '' });
  assert.equal(part('name').textContent, 'b.png');
});

test('objects that were found before a mask was edited are not kept', async () => {
  const { part, asked, answer } = await opened();
  const objects = [1, 2].map((number) => ({ number, path: '', x: 0, y: 0 }));
  go({ check: true });
  await answer(asked('photos_to_check')[1], { photos: [...PHOTOS] });
  await answer(asked('objects_in')[0], { objects, width: 8, height: 8 });
  assert.equal(part('objects').hidden, true);
  await answer(asked('objects_in')[1], { objects, width: 8, height: 8 });
  assert.equal(part('objects').hidden, false);
});
