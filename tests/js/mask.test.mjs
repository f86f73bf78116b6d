import assert from 'node:assert/strict';
import test from 'node:test';
import { actionIn } from '../../ui/static/keys.js';
import { Edits } from '../../ui/static/mask/edits.js';
import { Mask } from '../../ui/static/mask/mask.js';
import { View } from '../../ui/static/mask/view.js';

test('a mask and its run lengths say the same', () => {
  const mask = Mask.ofRuns(4, 3, [1, 2, 5, 1, 3]);
  assert.deepEqual([...mask.bits], [0, 1, 1, 0, 0, 0, 0, 0, 1, 0, 0, 0]);
  assert.deepEqual(mask.runs(), [1, 2, 5, 1, 3]);
  assert.equal(mask.area, 3);
  assert.deepEqual(new Mask(4, 3).runs(), [12]);
  assert.deepEqual(Mask.ofRuns(4, 3, [0, 12]).runs(), [0, 12]);
});

test('a stroke sets the pixels along a line and nothing outside the photo', () => {
  const mask = new Mask(7, 5);
  mask.stroke(1.5, 2.5, 9, 2.5, 1, 1);
  const rows = [0, 1, 2, 3, 4].map((y) => [...mask.bits.slice(7 * y, 7 * y + 7)].join(''));
  assert.deepEqual(rows, ['0000000', '0111111', '1111111', '0111111', '0000000']);
  mask.stroke(3.5, 2.5, 3.5, 2.5, 0.5, 0);
  assert.equal(mask.bits[7 * 2 + 3], 0);
  assert.equal(mask.area, 18);
});

test('a region is added and removed', () => {
  const mask = Mask.ofRuns(3, 1, [1, 1, 1]);
  mask.set(Mask.ofRuns(3, 1, [0, 2, 1]), 1);
  assert.deepEqual([...mask.bits], [1, 1, 0]);
  mask.set(Mask.ofRuns(3, 1, [1, 2]), 0);
  assert.deepEqual([...mask.bits], [1, 0, 0]);
});

test('one undo and redo goes over all edits; only what differs from the stored mask is a change', () => {
  const edits = new Edits([2, 1, 1], [4]);
  assert.equal(edits.changed, false);
  assert.equal(edits.add([2, 1, 1]), false);
  assert.equal(edits.add([0, 4]), true);
  assert.equal(edits.add([4]), true);
  assert.deepEqual(edits.undo(), [0, 4]);
  assert.deepEqual(edits.redo(), [4]);
  edits.undo();
  edits.undo();
  assert.equal(edits.changed, false);
  assert.equal(edits.canUndo, false);
  edits.add([1, 3]);
  assert.equal(edits.canRedo, false);
  edits.markSaved(edits.runs);
  assert.equal(edits.changed, false);
  edits.undo();
  assert.equal(edits.changed, true);
});

test('a photo without a mask starts empty', () => {
  const edits = new Edits(null, [4]);
  assert.deepEqual(edits.runs, [4]);
  assert.equal(edits.changed, false);
});

test('a photo fits, zooms at a point and stays on the canvas', () => {
  const view = new View();
  view.fit({ width: 200, height: 100 }, { width: 400, height: 400 });
  assert.equal(view.scale, 1.92);
  assert.deepEqual(view.toPhoto(200, 200), [100, 50]);
  const before = view.toPhoto(100, 180);
  view.zoom(2, 100, 180);
  const after = view.toPhoto(100, 180);
  assert.ok(Math.hypot(after[0] - before[0], after[1] - before[1]) < 1e-9);
  view.pan(10_000, 10_000);
  assert.deepEqual([view.x, view.y], [352, 352]);
  view.zoom(0.01);
  assert.ok(view.fits);
  assert.deepEqual(view.toPhoto(200, 200), [100, 50]);
});

function key(name, more = {}) {
  return { key: name, composedPath: () => [{ closest: () => null }], ...more };
}

test('keys with and without Ctrl are told apart; held keys count for some actions only', () => {
  const keys = { z: 'zap', 'ctrl+z': 'undo', 'ctrl+shift+z': 'redo', '[': 'thinner' };
  assert.equal(actionIn(keys, key('Z')), 'zap');
  assert.equal(actionIn(keys, key('z', { ctrlKey: true })), 'undo');
  assert.equal(actionIn(keys, key('Z', { metaKey: true, shiftKey: true })), 'redo');
  assert.equal(actionIn(keys, key('z', { altKey: true })), '');
  assert.equal(actionIn(keys, key('z', { repeat: true })), '');
  assert.equal(actionIn(keys, key('[', { repeat: true }), ['thinner']), 'thinner');
  assert.equal(actionIn(keys, key('q')), '');
});

test('keys in a text field belong to it', () => {
  assert.equal(actionIn({ a: 'x' }, { key: 'a', composedPath: () => [{ closest: () => ({}) }] }), '');
});
