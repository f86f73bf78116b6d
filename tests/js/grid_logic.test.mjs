import assert from 'node:assert/strict';
import { test } from 'node:test';

import { changed, described, queueNameOf, searchOf } from '../../ui/static/review/query.js';
import { Selection } from '../../ui/static/review/selection.js';
import { shareOf } from '../../ui/static/stage.js';

const IDS = ['a', 'b', 'c', 'd', 'e'];
const QUERY = { state: 'pending', order: 'newest', word: 'surface=gravel', low: '0.5', label: '' };

function selection() {
  const selected = new Selection(() => {});
  return Object.assign(selected, { sorted: () => [...selected.ids].sort() });
}

test('a click turns one tile, Shift selects from the last click', () => {
  const selected = selection();
  selected.toggle(IDS, 1);
  selected.toggle(IDS, 3, true);
  assert.deepEqual(selected.sorted(), ['b', 'c', 'd']);
  selected.toggle(IDS, 2);
  assert.deepEqual(selected.sorted(), ['b', 'd']);
  selected.toggle(IDS, 0, true);
  assert.deepEqual(selected.sorted(), ['a', 'b', 'c', 'd']);
});

test('Shift without an earlier click selects one tile', () => {
  const selected = selection();
  selected.toggle(IDS, 3, true);
  assert.deepEqual(selected.sorted(), ['d']);
});

test('all are selected, and none when all were', () => {
  const selected = selection();
  selected.toggleAll(IDS);
  assert.equal(selected.isAll(IDS), true);
  selected.toggleAll(IDS);
  assert.equal(selected.size, 0);
  assert.equal(selected.isAll([]), false);
});

test('a further click no longer means everything that matches', () => {
  const selected = selection();
  selected.set(IDS, true);
  assert.equal(selected.everything, true);
  selected.toggle(IDS, 0);
  assert.deepEqual([selected.everything, selected.size], [false, 4]);
});

test('only what differs from the defaults is told', () => {
  assert.deepEqual(changed(QUERY), { order: 'newest', word: 'surface=gravel', low: '0.5' });
  assert.equal(described(QUERY), 'newest, surface=gravel, low 0.5');
  assert.equal(described({ state: 'pending', order: 'queue', label: '' }), '');
  assert.equal(described({ state: '', order: 'queue', label: 'bolt' }), 'bolt');
});

test('the address holds the query, and of the grid every field that is set', () => {
  assert.equal(searchOf(QUERY), '?order=newest&word=surface%3Dgravel&low=0.5');
  assert.equal(searchOf({ state: 'pending', order: 'queue' }, { grid: true }), '?view=grid&state=pending&order=queue');
  assert.equal(searchOf({ state: 'pending', order: 'queue' }), '');
});

test('a stored queue is known by what it asks, in any order', () => {
  const queues = { rough: { word: 'surface=gravel', order: 'newest', low: '0.5' }, other: {} };
  assert.equal(queueNameOf(QUERY, queues), 'rough');
  assert.equal(queueNameOf({ ...QUERY, low: '' }, queues), '');
});

test('a drag is told as shares of the image and stays inside', () => {
  const box = { left: 100, top: 50, width: 200, height: 100 };
  assert.deepEqual(shareOf({ clientX: 150, clientY: 100 }, box), { x: 0.25, y: 0.5 });
  assert.deepEqual(shareOf({ clientX: 0, clientY: 900 }, box), { x: 0, y: 1 });
});
