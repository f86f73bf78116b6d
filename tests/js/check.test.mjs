import assert from 'node:assert/strict';
import test from 'node:test';
import { actionOf, answerTo, isOpenAddress, outlinesMarkup } from '../../ui/static/check.js';

function key(name, more = {}) {
  return { key: name, composedPath: () => [{ closest: () => null }], ...more };
}

test('keys decide, go on and leave, in either case', () => {
  const keys = ['a', 'A', 'x', 'e', 'g', 'ArrowRight', 'ArrowLeft', 'Escape', 'q'];
  const actions = ['confirm', 'confirm', 'exclude', 'edit', 'ground', 'next', 'previous', 'close', ''];
  assert.deepEqual(keys.map((name) => actionOf(key(name))), actions);
});

test('digits choose one of several objects, zero chooses all', () => {
  assert.deepEqual(['1', '9', '0'].map((name) => actionOf(key(name))), ['object-1', 'object-9', 'all']);
  assert.deepEqual(answerTo('object-2', 2), ['object', 2]);
  assert.deepEqual(answerTo('all', 2), ['all']);
  assert.deepEqual(answerTo('confirm', 2), ['confirm']);
});

test('a digit without an object of its number, and any digit where there is one object only, answers nothing', () => {
  assert.equal(answerTo('object-3', 2), null);
  assert.equal(answerTo('object-1', 1), null);
  assert.equal(answerTo('all', 0), null);
  assert.deepEqual(answerTo('exclude', 0), ['exclude']);
});

test('each object is drawn with its outline and its number in the middle', () => {
  const objects = [{ number: 1, path: 'M0 0L8 0L8 8Z', x: 4, y: 4 }];
  assert.equal(
    outlinesMarkup({ objects, width: 160, height: 80 }),
    '<path d="M0 0L8 0L8 8Z"/><circle cx="4" cy="4" r="7.5"/><text x="4" y="4" font-size="10" dy="0.36em">1</text>',
  );
});

test('a held key, a shortcut of the browser and a key in a text field do nothing', () => {
  assert.equal(actionOf(key('a', { repeat: true })), '');
  assert.equal(actionOf(key('a', { ctrlKey: true })), '');
  assert.equal(actionOf(key('a', { composedPath: () => [{ closest: () => ({}) }] })), '');
});

test('the address opens the check', () => {
  assert.deepEqual(['?check=1', '?x=2&check=1', '', '?check=0'].map(isOpenAddress), [true, true, false, false]);
});
