import assert from 'node:assert/strict';
import { test } from 'node:test';

import { Outbox } from '../../ui/static/review/outbox.js';
import { MemoryStorage, answering } from './helpers.mjs';

const PREFIX = 'backlot.decision.lib.';

function saveAll(decisions) { return { saved: decisions.map(({ client_id }) => ({ client_id, state: 'accepted' })), left: 0 }; }

function outboxOf(send, storage = new MemoryStorage()) {
  const changes = [];
  const pauses = [];
  const sleep = (milliseconds) => { pauses.push(milliseconds); return new Promise((resolve) => { setImmediate(resolve); }); };
  const outbox = new Outbox({ prefix: 'lib', send, onChange: (change) => changes.push(change), storage, sleep });
  return { outbox, storage, changes, pauses };
}

function stored(client_id, rest = {}) {
  return { [PREFIX + client_id]: JSON.stringify({ client_id, sample_id: `sample of ${client_id}`, verdict: 'accept', ...rest }) };
}

test('decisions are sent in order and leave the storage once they are saved', async () => {
  const send = answering(saveAll);
  const { outbox, storage } = outboxOf(send);
  for (const sample_id of ['one', 'two', 'three']) outbox.put({ sample_id, verdict: 'accept' });
  assert.equal(Object.keys(storage).length, 3);
  await outbox.settled();
  assert.deepEqual(send.calls.flatMap(([batch]) => batch.map((decision) => decision.sample_id)), ['one', 'two', 'three']);
  assert.deepEqual(Object.keys(storage), []);
});

test('what an earlier visit could not send is sent first, and of this library only', async () => {
  const send = answering(saveAll);
  const { outbox, storage } = outboxOf(send, new MemoryStorage({ ...stored('2'), ...stored('1'), 'backlot.decision.other.1': '{}' }));
  await outbox.flush();
  assert.deepEqual(send.calls[0][0].map((decision) => decision.client_id), ['1', '2']);
  assert.deepEqual(Object.keys(storage), ['backlot.decision.other.1']);
});

test('a stored decision that cannot be read is dropped and does not block the others', async () => {
  const send = answering(saveAll);
  const unreadable = { [`${PREFIX}0`]: '{"client_id": "0", "samp', [`${PREFIX}1`]: 'null', [`${PREFIX}2`]: '{"client_id": "2"}' };
  const { outbox, storage } = outboxOf(send, new MemoryStorage({ ...unreadable, ...stored('3') }));
  await outbox.flush();
  assert.equal(outbox.unreadable, 3);
  assert.deepEqual(send.calls.map(([batch]) => batch.map((decision) => decision.client_id)), [['3']]);
  assert.deepEqual(Object.keys(storage), []);
});

test('a refused decision is dropped and reported once, the others are saved', async () => {
  const send = answering({ saved: [{ client_id: '1', refused: "there is no sample 'gone'" }, { client_id: '2', state: 'accepted' }], left: 4 });
  const { outbox, storage, changes } = outboxOf(send, new MemoryStorage({ ...stored('1'), ...stored('2') }));
  await outbox.flush();
  assert.equal(send.calls.length, 1);
  assert.deepEqual(changes.flatMap((change) => change.refusals ?? []), [{ client_id: '1', refused: "there is no sample 'gone'" }]);
  assert.deepEqual(Object.keys(storage), []);
});

test('the answer of an older server is read as well', async () => {
  const send = answering({ saved: [{ client_id: '1', problem: 'not allowed' }, { client_id: '2', problem: '' }], left: 4 });
  const { outbox, changes } = outboxOf(send, new MemoryStorage({ ...stored('1'), ...stored('2') }));
  await outbox.flush();
  assert.deepEqual(changes.at(-1).refusals, [{ client_id: '1', refused: 'not allowed' }]);
});

test('a server that does not answer loses nothing: the same decisions are sent again, later each time', async () => {
  const send = answering(undefined, new Error('connection reset'), {}, saveAll);
  const { outbox, changes, pauses } = outboxOf(send);
  outbox.put({ sample_id: 'one', verdict: 'reject' });
  await outbox.settled();
  assert.equal(new Set(send.calls.map(([batch]) => batch[0].client_id)).size, 1);
  assert.equal(send.calls.length, 4);
  assert.deepEqual(pauses.filter((pause) => pause !== 30), [500, 1000, 2000]);
  assert.deepEqual(changes.filter((change) => change.trouble).map((change) => change.waiting), [1, 1, 1, 1, 1, 1]);
  assert.equal(changes.at(-1).trouble, false);
});

test('a decision that the answer does not mention is sent again after a pause', async () => {
  const send = answering({ saved: [], left: 1 }, saveAll);
  const { outbox, pauses } = outboxOf(send, new MemoryStorage(stored('1')));
  await outbox.flush();
  assert.deepEqual(pauses, [500]);
  assert.equal(outbox.waiting.length, 0);
});

test('at most 20 decisions travel in one request', async () => {
  const send = answering(saveAll);
  const many = Object.assign({}, ...Array.from({ length: 45 }, (_, number) => stored(String(number).padStart(3, '0'))));
  const { outbox } = outboxOf(send, new MemoryStorage(many));
  await outbox.flush();
  assert.deepEqual(send.calls.map(([batch]) => batch.length), [20, 20, 5]);
});

test('a full storage does not stop a decision from being sent', async () => {
  const send = answering(saveAll);
  const storage = new MemoryStorage();
  Object.defineProperty(storage, 'setItem', { value: () => { throw new Error('QuotaExceededError'); } });
  const { outbox } = outboxOf(send, storage);
  outbox.put({ sample_id: 'one', verdict: 'accept' });
  await outbox.settled();
  assert.equal(send.calls[0][0][0].sample_id, 'one');
});
