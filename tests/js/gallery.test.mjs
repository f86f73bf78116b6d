import assert from 'node:assert/strict';
import { test } from 'node:test';

import { placeAfter } from '../../ui/static/gallery.js';

test('the neighbours of an image end at the first and the last one', () => {
  assert.equal(placeAfter(0, -1, 3), 0);
  assert.equal(placeAfter(0, 1, 3), 1);
  assert.equal(placeAfter(2, 1, 3), 2);
});
