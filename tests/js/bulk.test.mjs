import assert from 'node:assert/strict';
import { test } from 'node:test';

import { Bulk, bulkQuestion } from '../../ui/static/review/bulk.js';
import { History, stepWeight } from '../../ui/static/review/history.js';
import { answering, deferred, turn } from './helpers.mjs';

const BOLTS = { state: 'pending', label: 'bolt' };

function bulkOf({ server = {}, confirm = answering(true), settled = answering(undefined), wanted = () => true } = {}) {
  const history = new History();
  const said = [];
  const bulk = new Bulk({ server, history, ask: (question) => question(), confirm, settled, wanted, onDone: ({ count }, done) => said.push(`${count} ${done}`) });
  return { bulk, history, said };
}

test('the question counts what will be decided', () => {
  assert.deepEqual(bulkQuestion('accept', { count: 1200, disputed: 0 }), {
    title: 'Accept 1,200 images?',
    text: 'This includes every image that matches the filters, also those that you have not seen. One undo takes it back.',
  });
});

test('disputed images are left out of the count and mentioned', () => {
  const { title, text } = bulkQuestion('reject', { count: 8, disputed: 3 });
  assert.equal(title, 'Reject 5 images?');
  assert.match(text, / 3 disputed images are left out; a lead settles them one by one\. One undo/);
  assert.match(bulkQuestion('reject', { count: 8, disputed: 1 }).text, / 1 disputed image is left out;/);
});

test('the question names the filters that it is about', () => {
  assert.match(bulkQuestion('accept', { count: 8 }, 'bolt').text, /^This includes every image that matches the filters \(bolt\), also/);
});

test('what is decided is what was counted, once every single decision is saved', async () => {
  const saving = deferred();
  const server = { count_fitting: answering({ count: 4, disputed: 0 }), decide_all: answering({ count: 4, left: 0 }) };
  const confirm = answering(true);
  const { bulk, history, said } = bulkOf({ server, confirm, settled: () => saving.promise });
  const decided = bulk.decideEverything(BOLTS, 'accept', null);
  await turn();
  assert.deepEqual(server.count_fitting.calls, []);
  saving.resolve();
  await decided;
  assert.deepEqual(server.count_fitting.calls, [[BOLTS]]);
  assert.equal(confirm.calls[0][0], 'Accept 4 images?');
  assert.deepEqual(server.decide_all.calls.map(([{ query, verdict }]) => [query, verdict]), [[BOLTS, 'accept']]);
  assert.deepEqual([history.decided, said], [4, ['4 accepted']]);
});

test('who has left the grid before the images are counted is asked nothing', async () => {
  const confirm = answering(true);
  const { bulk } = bulkOf({ server: { count_fitting: answering({ count: 4 }) }, confirm, wanted: () => false });
  await bulk.decideEverything(BOLTS, 'accept', null);
  assert.deepEqual([confirm.calls, bulk.busy], [[], false]);
});

test('the others are rejected once every single decision is saved; without a selection that is asked first', async () => {
  const server = { keep_best: answering({ count: 2, left: 3 }) };
  const confirm = answering(undefined);
  const { bulk, said } = bulkOf({ server, confirm });
  await bulk.rejectOthers(BOLTS, []);
  assert.deepEqual([confirm.calls.length, server.keep_best.calls], [1, []]);
  await bulk.rejectOthers(BOLTS, ['a']);
  assert.equal(confirm.calls.length, 1);
  assert.deepEqual(server.keep_best.calls.map(([{ query, kept }]) => [query, kept]), [[BOLTS, ['a']]]);
  assert.deepEqual(said, ['2 rejected']);
});

test('one step on many images is under way at a time, and what is decided meanwhile comes behind it', async () => {
  const answer = deferred();
  const server = { keep_best: answering(() => answer.promise) };
  const { bulk, history } = bulkOf({ server });
  const decided = bulk.rejectOthers(BOLTS, ['a']);
  await turn();
  assert.equal(bulk.busy, true);
  await bulk.rejectOthers(BOLTS, ['b']);
  history.record({ id: 'c' }, 'accept', '1');
  answer.resolve({ count: 3, left: 0 });
  await decided;
  assert.equal(server.keep_best.calls.length, 1);
  assert.deepEqual([history.steps.map(stepWeight), bulk.busy], [[3, 1], false]);
});

test('a step without an answer is not undone, and one that was not undone stays', async () => {
  const server = { keep_best: answering(undefined, { count: 3, left: 0 }), undo_all: answering(undefined, { count: 3, left: 3 }) };
  const { bulk, history, said } = bulkOf({ server });
  await bulk.rejectOthers(BOLTS, ['a']);
  assert.equal(history.isEmpty, true);
  await bulk.rejectOthers(BOLTS, ['a']);
  await bulk.undo(history.last);
  assert.equal(history.decided, 3);
  await bulk.undo(history.last);
  assert.deepEqual([history.isEmpty, said], [true, ['3 rejected', '3 taken back']]);
});

test('a step on many images is on its way until the server has answered', async () => {
  const answer = deferred();
  const { bulk } = bulkOf({ server: { undo_all: () => answer.promise } });
  const order = [];
  const undone = bulk.undo({ batch: 'all' });
  const sent = bulk.sending.then(() => order.push('sent'));
  await turn();
  order.push('answered');
  answer.resolve({ count: 3, left: 3 });
  await Promise.all([undone, sent]);
  assert.deepEqual(order, ['answered', 'sent']);
});
