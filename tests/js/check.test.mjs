import assert from 'node:assert/strict';
import test from 'node:test';
import { isOpenAddress } from '../../ui/static/check.js';

test('the address opens the check, unless a photo is open', () => {
  const addresses = ['?check=1', '?x=2&check=1', '', '?check=0', '?check=1&photo=ab'];
  assert.deepEqual(addresses.map(isOpenAddress), [true, true, false, false, false]);
});
