import assert from 'node:assert/strict';
import test from 'node:test';
import { actionOfClick, actionOfPageKey, deleteQuestion, demoSentence, placeAfterKey, rangeText } from '../../ui/static/photos/actions.js';
import { Selection } from '../../ui/static/review/selection.js';

function key(name, more = {}, target = {}) {
  return { key: name, composedPath: () => [{ closest: (selector) => (target.matches ? selector : null) }], ...more };
}

test('a plain click opens; the box, Ctrl, Cmd and the select mode toggle; Shift takes a range', () => {
  assert.equal(actionOfClick({}), 'open');
  assert.equal(actionOfClick({ ctrlKey: true }), 'toggle');
  assert.equal(actionOfClick({ metaKey: true }), 'toggle');
  assert.equal(actionOfClick({}, { onBox: true }), 'toggle');
  assert.equal(actionOfClick({}, { selecting: true }), 'toggle');
  assert.equal(actionOfClick({ shiftKey: true }, { onBox: true }), 'range');
});

test('who may change nothing opens photos whatever is held', () => {
  assert.equal(actionOfClick({ shiftKey: true, ctrlKey: true }, { mayChange: false }), 'open');
});

test('Ctrl+A selects all and Escape clears, but not while a text is written', () => {
  assert.equal(actionOfPageKey(key('a', { ctrlKey: true })), 'all');
  assert.equal(actionOfPageKey(key('A', { metaKey: true })), 'all');
  assert.equal(actionOfPageKey(key('a')), '');
  assert.equal(actionOfPageKey(key('a', { ctrlKey: true, altKey: true })), '');
  assert.equal(actionOfPageKey(key('a', { ctrlKey: true }, { matches: true })), '');
  assert.equal(actionOfPageKey(key('Escape')), 'escape');
  assert.equal(actionOfPageKey(key('Escape', {}, { matches: true })), 'escape');
});

test('arrows walk over the tiles and stop at the edges', () => {
  const places = (name, at) => placeAfterKey(name, at, { across: 4, count: 10 });
  assert.deepEqual(['ArrowRight', 'ArrowLeft', 'ArrowDown', 'ArrowUp', 'Home', 'End', 'x'].map((name) => places(name, 5)), [6, 4, 9, 1, 0, 9, undefined]);
  assert.deepEqual([places('ArrowRight', 9), places('ArrowLeft', 0), places('ArrowDown', 6), places('ArrowUp', 3)], [undefined, undefined, undefined, undefined]);
});

test('the question before photos are deleted names what goes and what stays', () => {
  assert.equal(deleteQuestion(1, 0), 'Delete 1 photo? This cannot be undone.');
  assert.equal(deleteQuestion(1200, 1), 'Delete 1,200 photos? This cannot be undone. 1 synthetic image that came of them stays.');
  assert.equal(deleteQuestion(2, 34), 'Delete 2 photos? This cannot be undone. 34 synthetic images that came of them stay.');
});

test('the banner tells a demo set alone from one beside own photos', () => {
  assert.equal(demoSentence(0, 7), '');
  assert.equal(demoSentence(7, 7), 'This is a demo set of rendered parts.');
  assert.equal(demoSentence(1, 7), '1 photo of the demo set is beside your own.');
  assert.equal(demoSentence(5, 7), '5 photos of the demo set are beside your own.');
});

test('the range of a page', () => {
  assert.equal(rangeText(60, 60, 1560), '61–120 of 1,560');
  assert.equal(rangeText(0, 0, 0), '');
});

test('a range is selected from the last toggled tile on, in both directions, and across a toggle', () => {
  const ids = ['a', 'b', 'c', 'd', 'e'];
  const selection = new Selection(() => {});
  selection.toggle(ids, 3);
  selection.toggle(ids, 1, true);
  assert.deepEqual([...selection.ids].sort(), ['b', 'c', 'd']);
  selection.toggle(ids, 2);
  assert.deepEqual([...selection.ids].sort(), ['b', 'd']);
  selection.toggle(ids, 4, true);
  assert.deepEqual([...selection.ids].sort(), ['b', 'c', 'd', 'e']);
});
