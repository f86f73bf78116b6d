import assert from 'node:assert/strict';
import test from 'node:test';
import { KEYS, answerTo, isOpenAddress, outlinesMarkup } from '../../ui/static/check.js';

test('digits choose one of several objects, zero chooses all', () => {
  assert.deepEqual([1, 9, 0].map((digit) => KEYS[digit]), ['object-1', 'object-9', 'all']);
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

test('the address opens the check, unless a photo is open', () => {
  const addresses = ['?check=1', '?x=2&check=1', '', '?check=0', '?check=1&photo=ab'];
  assert.deepEqual(addresses.map(isOpenAddress), [true, true, false, false, false]);
});
