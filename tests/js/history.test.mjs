import assert from 'node:assert/strict';
import { test } from 'node:test';

import { History, stepWeight, verdictWeight } from '../../ui/static/review/history.js';

const ENTRY = { id: 'a' };

test('only accept and reject take a sample off the pending ones', () => {
  assert.deepEqual(['accept', 'reject', 'skip', 'flag', 'undo'].map(verdictWeight), [1, 1, 0, 0, 0]);
});

test('steps are undone newest first, whatever they are', () => {
  const history = new History();
  history.record(ENTRY, 'accept', '1');
  history.recordItems([{ id: 'b', weight: 1, clientId: '2' }, { id: 'c', weight: 0, clientId: '3' }], 'reject');
  history.recordAll('batch', 'accept');
  history.count('batch', 40);
  assert.equal(history.decided, 42);
  assert.deepEqual([history.pop(), history.pop(), history.pop()].map(stepWeight), [40, 1, 1]);
  assert.equal(history.pop(), undefined);
});

test('a refused decision is forgotten, so that undo does not take back an earlier one', () => {
  const history = new History();
  history.record(ENTRY, 'accept', '1');
  history.recordItems([{ id: 'b', weight: 1, clientId: '2' }, { id: 'c', weight: 1, clientId: '3' }], 'reject');
  history.recordAll('batch', 'accept');
  history.count('batch', 2);
  history.forget('1');
  history.forget('3');
  assert.deepEqual(history.steps.map(stepWeight), [1, 2]);
  history.forget('2');
  assert.deepEqual(history.steps.map((step) => step.batch), ['batch']);
});

test('skipped entries are counted and forgotten when the queue starts again', () => {
  const history = new History();
  history.record(ENTRY, 'skip', '1');
  history.record(ENTRY, 'accept', '2');
  history.record(ENTRY, 'skip', '3');
  assert.equal(history.skipped, 2);
  history.forgetSkipped();
  assert.deepEqual([history.skipped, history.decided, history.isEmpty], [0, 1, false]);
});

test('a decision on many keeps the place that it had when it was sent, or leaves the history', () => {
  const history = new History();
  history.recordAll('saved', 'accept');
  history.recordAll('not saved', 'accept');
  history.record(ENTRY, 'reject', '1');
  history.count('saved', 3);
  history.forgetAll('not saved');
  assert.equal(history.last.clientId, '1');
  assert.deepEqual(history.steps.map(stepWeight), [3, 1]);
});
