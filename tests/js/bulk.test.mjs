import assert from 'node:assert/strict';
import { test } from 'node:test';

import { bulkQuestion } from '../../ui/static/review/bulk.js';

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
