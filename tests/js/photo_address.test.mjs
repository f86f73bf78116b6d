import assert from 'node:assert/strict';
import test from 'node:test';
import { closePhoto, compose, filterOf, openPhoto, parse } from '../../ui/static/photos/address.js';

const PLAIN = { label: '', split: '', state: '', page: 1, photo: '', check: false };

test('an address names filters, page, photo and check', () => {
  assert.deepEqual(parse(''), PLAIN);
  assert.deepEqual(parse('?class=hex+nut&split=test&state=check&page=3&photo=ab12&check=1'), {
    label: 'hex nut', split: 'test', state: 'check', page: 3, photo: 'ab12', check: true,
  });
});

test('wrong values in an address count as none', () => {
  for (const search of ['?split=both', '?state=__proto__', '?page=0', '?page=-1', '?page=2.5', '?page=9999999', '?check=yes']) {
    assert.deepEqual(parse(search), PLAIN);
  }
});

test('an address is composed without what is a default, and read back', () => {
  const fields = { label: 'a&b=c', split: 'train', state: 'unused', page: 2, photo: 'x', check: false };
  assert.equal(compose(PLAIN), '');
  assert.deepEqual(parse(compose(fields)), fields);
});

test('changes keep the rest of an address, also what is not of this page', () => {
  assert.equal(compose({ page: 1, split: 'test' }, '?__theme=dark&class=bolt&page=4'), '?__theme=dark&class=bolt&split=test');
});

test('the server takes the filters by the names of the address', () => {
  assert.deepEqual(filterOf(parse('?class=bolt&state=excluded&page=2')), { class: 'bolt', split: '', state: 'excluded' });
});

test('a photo is opened and closed within its filters, one entry of the history each', () => {
  const pushed = [];
  let heard = 0;
  globalThis.location = { pathname: '/', search: '?class=bolt&page=2&check=1' };
  globalThis.history = { pushState: (_, __, address) => { pushed.push(address); location.search = address.slice(1); } };
  globalThis.window = { dispatchEvent: (event) => { heard += event.type === 'popstate'; } };
  globalThis.PopStateEvent = class extends Event {};
  openPhoto('ab');
  openPhoto('ab');
  closePhoto();
  assert.deepEqual(pushed, ['/?class=bolt&page=2&photo=ab', '/?class=bolt&page=2']);
  assert.equal(heard, 3);
});
