import assert from 'node:assert/strict';
import { test } from 'node:test';

import { reasonToWait, resolveAction } from '../../ui/static/review/actions.js';
import { groupMarks } from '../../ui/static/review/groups.js';
import { sentenceOf } from '../../ui/static/review/similar.js';

function entries(...pairs) { return pairs.map(([cluster, state]) => ({ cluster, state })); }

test('bands alternate from group to group, and the first undecided one of a group is its best', () => {
  const marks = groupMarks(entries(['a', 'pending'], ['a', 'pending'], ['b', 'pending'], ['b', 'pending'], ['b', 'pending'], ['c', 'pending'], ['c', 'pending']));
  assert.deepEqual(marks.map(({ band }) => band), [0, 0, 1, 1, 1, 0, 0]);
  assert.deepEqual(marks.map(({ best }) => best), [true, false, true, false, false, true, false]);
});

test('an accepted image is the best of its group, a rejected one never, and a single one is not marked', () => {
  const marks = groupMarks(entries(['a', 'rejected'], ['a', 'pending'], ['a', 'accepted'], ['b', 'rejected'], ['b', 'pending'], ['c', 'pending']));
  assert.deepEqual(marks.map(({ best }) => best), [false, false, true, false, true, false]);
  assert.deepEqual(groupMarks([]), []);
});

test('over the similar images keys decide on the selected ones or close the dialog', () => {
  const open = { similarOpen: true };
  assert.deepEqual(resolveAction('reject', open), { name: 'decideSimilar', verdict: 'reject', reason: null });
  assert.deepEqual(resolveAction('reason:light', open), { name: 'decideSimilar', verdict: 'reject', reason: 'light' });
  assert.deepEqual(resolveAction('similar', open), { name: 'similar' });
  assert.deepEqual(resolveAction('all', open), { name: 'allSimilar' });
  for (const action of ['skip', 'undo', 'grid', 'mask', 'again', 'help']) assert.equal(resolveAction(action, open), undefined);
  assert.equal(resolveAction('accept', { ...open, reader: true }), undefined);
});

test('only the grid rejects the others of a group, and a reader never does', () => {
  assert.deepEqual(resolveAction('others', { gridOpen: true }), { name: 'others' });
  assert.equal(resolveAction('others', {}), undefined);
  assert.equal(resolveAction('others', { gridOpen: true, reader: true }), undefined);
  assert.deepEqual(resolveAction('similar', { reader: true }), { name: 'similar' });
});

test('what could overtake a step that is under way has to wait, and nothing else', () => {
  const every = ['undo', 'decide', 'comment', 'flag', 'decideSelected', 'decideSimilar', 'decideEverything', 'others', 'grid', 'similar', 'mask'];
  const waiting = (state) => every.filter((name) => reasonToWait(name, state));
  assert.deepEqual(waiting({ undoing: false, bulk: false }), []);
  assert.deepEqual(waiting({ undoing: true, bulk: false }), every.slice(0, 8));
  assert.deepEqual(waiting({ undoing: false, bulk: true }), ['undo', 'decideEverything', 'others']);
});

test('the dialog says how many near-duplicates there are and what is not compared yet', () => {
  const near = { near: true };
  const far = { near: false };
  assert.equal(sentenceOf({ compared: true, entries: [near, near, far], missing: 0 }), '2 near-duplicates; the undecided ones are selected.');
  assert.equal(sentenceOf({ compared: true, entries: [far], missing: 1 }), 'No near-duplicate; the most similar images come first. 1 image is not compared yet.');
  assert.equal(sentenceOf({ compared: true, entries: [], missing: 1200 }), '1,200 images are not compared yet.');
  assert.equal(sentenceOf({ compared: true, entries: [], missing: 0 }), 'There is no other image.');
  assert.equal(sentenceOf({ compared: false, entries: [], missing: 3 }, false), 'Comparing this image …');
  assert.match(sentenceOf({ compared: false, entries: [], missing: 3 }, true), /a reviewer opens/);
});
