import assert from 'node:assert/strict';
import { test } from 'node:test';

import { emptyState } from '../../ui/static/review/empty.js';
import { durationInWords, Pace, paceInWords, percentDone } from '../../ui/static/review/progress.js';

const NOTHING = { skipped: 0, problem: '', filtered: false, left: 0, decided: false };

test('the pace is told after four decisions and is that of the last twenty', () => {
  let now = 0;
  const pace = new Pace(() => now);
  for (let i = 0; i < 3; i += 1) { pace.note(); now += 60_000; }
  assert.equal(pace.perMinute, 0);
  for (let i = 0; i < 20; i += 1) { now += 2_000; pace.note(); }
  assert.equal(pace.perMinute, 30);
});

test('the time left is told in seconds, then in minutes', () => {
  assert.equal(paceInWords(30, 20), '30 a minute, about 40 s to go');
  assert.equal(paceInWords(30, 300), '30 a minute, about 10 min to go');
  assert.deepEqual([paceInWords(0, 5), paceInWords(30, 0), durationInWords(89), durationInWords(90)], ['', '', '89 s', '2 min']);
});

test('the share that is done', () => {
  assert.deepEqual([percentDone(1, 3), percentDone(0, 0), percentDone(5, 0)], [25, 0, 100]);
});

test('an empty page says why, and what to do next', () => {
  const next = (rest) => emptyState({ ...NOTHING, ...rest }).next;
  assert.equal(next({}), 'generate');
  assert.equal(next({ decided: true }), 'publish');
  assert.equal(next({ left: 3 }), 'again');
  assert.equal(next({ left: 3, filtered: true }), 'whole queue');
  assert.equal(next({ left: 3, skipped: 1 }), 'again');
  assert.deepEqual(emptyState({ ...NOTHING, problem: "there is no order 'random'" }), { title: 'This queue cannot be opened', text: "there is no order 'random'", next: 'whole queue' });
});
