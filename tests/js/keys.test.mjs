import assert from 'node:assert/strict';
import { test } from 'node:test';

import { resolveAction } from '../../ui/static/review/actions.js';
import { actionOfKey, DEFAULT_KEYS, Keys } from '../../ui/static/review/keys.js';
import { MemoryStorage } from './helpers.mjs';

const REASONS = ['seam', 'light', 'other'];

function pressed(key, rest = {}) { return actionOfKey({ key, ...rest }, new Keys(new MemoryStorage()), REASONS); }

test('letters are actions in either case, digits are reasons', () => {
  assert.deepEqual(['a', 'X', '?', '1', '3', '4', '0', 'q'].map((key) => pressed(key)), ['accept', 'reject', 'help', 'reason:seam', 'reason:other', undefined, undefined, undefined]);
});

test('a key with a modifier, a held key and the keys that press a button do nothing', () => {
  for (const modifier of ['ctrlKey', 'metaKey', 'altKey', 'repeat']) assert.equal(pressed('a', { [modifier]: true }), undefined);
  assert.deepEqual([pressed('Enter'), pressed(' ')], [undefined, undefined]);
});

test('a changed key is stored, and the action that had it gets the old one', () => {
  const storage = new MemoryStorage();
  new Keys(storage).set('accept', 'X');
  const again = new Keys(storage);
  assert.deepEqual([again.map.accept, again.map.reject, again.action('x')], ['x', 'a', 'accept']);
  again.reset();
  assert.deepEqual(new Keys(storage).map, DEFAULT_KEYS);
});

test('stored keys that nobody can read or press leave the defaults', () => {
  for (const text of ['{"accept": "q"', 'null', '{"accept": "7"}', '{"accept": "ab"}', '{"accept": 5}']) {
    assert.deepEqual(new Keys(new MemoryStorage({ 'backlot.keys': text })).map, DEFAULT_KEYS);
  }
});

test('the same key decides on one image, on the selected ones, or on all that match', () => {
  assert.deepEqual(resolveAction('accept', {}), { name: 'decide', verdict: 'accept', reason: null });
  assert.deepEqual(resolveAction('accept', { gridOpen: true }), { name: 'decideSelected', verdict: 'accept', reason: null });
  assert.deepEqual(resolveAction('reason:light', { gridOpen: true, everything: true }), { name: 'decideEverything', verdict: 'reject', reason: 'light' });
  assert.deepEqual(resolveAction('reason:light', {}), { name: 'decide', verdict: 'reject', reason: 'light' });
});

test('the reason "other" asks for a comment on one image and not in the grid', () => {
  assert.deepEqual(resolveAction('reason:other', {}), { name: 'comment' });
  assert.equal(resolveAction('reason:other', { gridOpen: true }).name, 'decideSelected');
});

test('what needs one image does nothing in the grid', () => {
  for (const action of ['mask', 'before', 'zoom', 'again', 'flag', 'skip']) assert.equal(resolveAction(action, { gridOpen: true }), undefined);
  assert.deepEqual(resolveAction('undo', { gridOpen: true }), { name: 'undo' });
});

test('a reader can look and filter but not decide', () => {
  for (const action of ['accept', 'reject', 'reason:seam', 'undo', 'flag', 'again', 'save', 'best', 'gold']) assert.equal(resolveAction(action, { reader: true }), undefined);
  for (const action of ['mask', 'before', 'zoom', 'grid', 'filters', 'help', 'name']) assert.deepEqual(resolveAction(action, { reader: true }), { name: action });
  assert.equal(resolveAction('skip', { reader: true }).name, 'decide');
});
