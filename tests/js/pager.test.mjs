import assert from 'node:assert/strict';
import { test } from 'node:test';

import { PAGE_SIZE, Pager } from '../../ui/static/review/pager.js';
import { answering, deferred, turn } from './helpers.mjs';

function page(first, length = PAGE_SIZE) {
  return { entries: Array.from({ length }, (_, index) => ({ id: `sample ${first + index}` })) };
}

function pagerOf(fetchPage) {
  const states = [];
  const pager = new Pager({ fetchPage, onPage: () => {}, onChange: () => states.push(pager.state) });
  return { pager, states };
}

test('each page follows the last known entry until a short one ends the list', async () => {
  const fetchPage = answering(page(0), page(PAGE_SIZE, 3));
  const { pager, states } = pagerOf(fetchPage);
  await pager.more();
  await pager.more();
  await pager.more();
  assert.deepEqual(fetchPage.calls, [[null, PAGE_SIZE], [`sample ${PAGE_SIZE - 1}`, PAGE_SIZE]]);
  assert.equal(pager.entries.length, PAGE_SIZE + 3);
  assert.deepEqual(states, ['more', 'ended']);
});

test('a failed request does not end the list: the next call asks for the same page', async () => {
  const fetchPage = answering(page(0), undefined, new Error('connection reset'), page(PAGE_SIZE, 1));
  const { pager, states } = pagerOf(fetchPage);
  for (let i = 0; i < 4; i += 1) await pager.more();
  assert.deepEqual(states, ['more', 'failed', 'failed', 'ended']);
  assert.deepEqual(fetchPage.calls.slice(1).map(([after]) => after), Array(3).fill(`sample ${PAGE_SIZE - 1}`));
  assert.equal(pager.entries.length, PAGE_SIZE + 1);
});

test('a list without entries is empty, not ended', async () => {
  const { pager } = pagerOf(answering({ entries: [] }));
  await pager.more();
  assert.equal(pager.state, 'empty');
});

test('calls while a page is under way share it', async () => {
  const answer = deferred();
  const fetchPage = answering(() => answer.promise);
  const { pager } = pagerOf(fetchPage);
  const calls = [pager.more(), pager.more()];
  answer.resolve(page(0, 2));
  await Promise.all(calls);
  assert.equal(fetchPage.calls.length, 1);
  assert.equal(pager.entries.length, 2);
});

test('the answer to an earlier question is dropped', async () => {
  const late = deferred();
  const { pager } = pagerOf(answering(() => late.promise, page(500, 1)));
  const first = pager.more();
  await turn(); // it is asked
  pager.restart();
  await pager.more();
  late.resolve(page(0));
  await first;
  assert.deepEqual(pager.entries, [{ id: 'sample 500' }]);
  assert.equal(pager.state, 'ended');
});

test('a list begins once its server is ready, and of lists that wait only the last one is asked for', async () => {
  const saved = deferred();
  const fetchPage = answering(page(0), page(PAGE_SIZE, 3));
  const pager = new Pager({ fetchPage, onPage: () => {}, onChange: () => {}, ready: () => saved.promise });
  const first = pager.more();
  pager.restart();
  const second = pager.more();
  assert.deepEqual(fetchPage.calls, []);
  saved.resolve();
  await Promise.all([first, second]);
  assert.deepEqual(fetchPage.calls, [[null, PAGE_SIZE]]);
  pager.ready = () => assert.fail('the list goes on at once');
  await pager.more();
  assert.equal(pager.entries.length, PAGE_SIZE + 3);
});
