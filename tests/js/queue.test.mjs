import assert from 'node:assert/strict';
import { test } from 'node:test';

import { Queue } from '../../ui/static/review/queue.js';
import { answering, deferred, turn } from './helpers.mjs';

function entries(...ids) { return ids.map((id) => ({ id, image: `image of ${id}` })); }

function queueOf(fetchEntries) {
  const loaded = [];
  const loadImage = (address) => { loaded.push(address); return { decode: () => Promise.resolve() }; };
  return { queue: new Queue({ fetchEntries, loadImage }), loaded };
}

async function filled(...ids) {
  const { queue, loaded } = queueOf(answering({ entries: entries(...ids), ended: true, problem: '' }));
  await queue.more();
  return { queue, loaded };
}

test('the queue goes on behind the last known entry and knows none twice', async () => {
  const fetchEntries = answering({ entries: entries('a', 'b'), ended: false }, { entries: entries('b', 'c'), ended: true });
  const { queue } = queueOf(fetchEntries);
  await queue.more();
  await queue.more();
  assert.deepEqual(fetchEntries.calls.map(([after]) => after), [null, 'b']);
  assert.deepEqual(queue.entries.map((entry) => entry.id), ['a', 'b', 'c']);
  assert.equal(await queue.more(), undefined);
});

test('a request that fails is made again at the next step', async () => {
  const fetchEntries = answering({ entries: entries('a', 'b'), ended: false }, new Error('connection reset'), { entries: entries('c'), ended: true });
  const { queue } = queueOf(fetchEntries);
  await queue.more();
  queue.step(1);
  await queue.fetching;
  assert.equal(queue.ended, false);
  queue.step(1);
  await queue.fetching;
  assert.equal(queue.current.id, 'c');
});

test('the next six images are loaded ahead, and those left behind are given up', async () => {
  const { queue, loaded } = await filled(...'abcdefghij');
  assert.deepEqual(loaded, [...'abcdefg'].map((id) => `image of ${id}`));
  queue.step(3);
  assert.deepEqual([...queue.images.keys()], [...'cdefghij'].map((id) => `image of ${id}`));
});

test('an answer from before a restart is dropped', async () => {
  const late = deferred();
  const { queue } = queueOf(answering(() => late.promise, { entries: entries('new'), ended: true }));
  const first = queue.more();
  await turn(); // it is asked
  await queue.restart(Promise.resolve());
  late.resolve({ entries: entries('old'), ended: true });
  assert.equal(await first, undefined);
  assert.deepEqual(queue.entries.map((entry) => entry.id), ['new']);
});

test('of restarts that wait for the same decisions only the last one asks the server', async () => {
  const saved = deferred();
  const fetchEntries = answering({ entries: entries('a'), ended: true });
  const { queue } = queueOf(fetchEntries);
  const restarts = [queue.restart(saved.promise), queue.restart(saved.promise)];
  saved.resolve();
  assert.deepEqual((await Promise.all(restarts)).map(Boolean), [false, true]);
  assert.equal(fetchEntries.calls.length, 1);
});

test('an undone entry is shown again, where it is or in front', async () => {
  const { queue } = await filled('a', 'b', 'c');
  queue.step(2);
  queue.show({ id: 'a', image: 'image of a' });
  assert.deepEqual([queue.at, queue.entries.length], [0, 3]);
  queue.show({ id: 'z', image: 'image of z' });
  assert.deepEqual(queue.entries.map((entry) => entry.id), ['z', 'a', 'b', 'c']);
  assert.equal(queue.current.id, 'z');
});

test('an entry that is removed before the current one leaves the current one', async () => {
  const { queue } = await filled('a', 'b', 'c');
  queue.step(1);
  queue.remove('a');
  assert.equal(queue.current.id, 'b');
  queue.remove('gone');
  assert.deepEqual(queue.entries.map((entry) => entry.id), ['b', 'c']);
});

test('an image that is generated again comes before its entry, or next when that was decided meanwhile', async () => {
  const { queue } = await filled('a', 'b', 'c');
  queue.insertBefore({ id: 'a2', image: '' }, 'a');
  assert.deepEqual([queue.current.id, queue.entries[1].id], ['a2', 'a']);
  queue.step(2);
  queue.insertBefore({ id: 'a3', image: '' }, 'a');
  assert.equal(queue.current.id, 'b');
  queue.step(1);
  assert.equal(queue.current.id, 'a3');
});

test('an image that is generated again is shown at once where no other one is', async () => {
  const { queue } = await filled('a');
  queue.step(1);
  queue.insertBefore({ id: 'a2', image: '' }, 'a');
  assert.equal(queue.current.id, 'a2');
});

test('an entry that the page put in does not move the place from which the server goes on', async () => {
  const fetchEntries = answering({ entries: entries('a', 'b'), ended: false }, { entries: [], ended: false });
  const { queue } = queueOf(fetchEntries);
  await queue.more();
  queue.entries.push({ id: 'z', image: '' });
  await queue.more();
  await queue.restart(Promise.resolve());
  assert.deepEqual(fetchEntries.calls.map(([after]) => after), [null, 'b', null]);
});

test('entries that were decided elsewhere on the page are left out, also when the server sends them again', async () => {
  const fetchEntries = answering({ entries: entries('a', 'b', 'c', 'd'), ended: false }, { entries: entries('c', 'e'), ended: true });
  const { queue } = queueOf(fetchEntries);
  await queue.more();
  queue.step(1); // asks for more
  queue.drop(['a', 'b', 'c']);
  assert.equal(queue.current.id, 'd');
  await queue.fetching;
  assert.deepEqual(queue.entries.map((entry) => entry.id), ['d', 'e']);
  await queue.restart(Promise.resolve());
  assert.deepEqual(queue.entries.map((entry) => entry.id), ['c', 'e']); // the server knows the decisions by now
});
