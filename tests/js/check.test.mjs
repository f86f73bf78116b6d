import assert from 'node:assert/strict';
import test from 'node:test';
import { actionOf, isOpenAddress } from '../../ui/static/check.js';

function key(name, more = {}) {
  return { key: name, composedPath: () => [{ closest: () => null }], ...more };
}

test('keys decide, go on and leave, in either case', () => {
  const keys = ['a', 'A', 'x', 'e', 'g', 'ArrowRight', 'ArrowLeft', 'Escape', 'q'];
  const actions = ['confirm', 'confirm', 'exclude', 'edit', 'ground', 'next', 'previous', 'close', ''];
  assert.deepEqual(keys.map((name) => actionOf(key(name))), actions);
});

test('a held key, a shortcut of the browser and a key in a text field do nothing', () => {
  assert.equal(actionOf(key('a', { repeat: true })), '');
  assert.equal(actionOf(key('a', { ctrlKey: true })), '');
  assert.equal(actionOf(key('a', { composedPath: () => [{ closest: () => ({}) }] })), '');
});

test('the address opens the check', () => {
  assert.deepEqual(['?check=1', '?x=2&check=1', '', '?check=0'].map(isOpenAddress), [true, true, false, false]);
});
