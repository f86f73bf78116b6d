// What a browser has and Node does not: a storage, and a server whose answers a test decides.

// localStorage: its keys are properties, as in a browser.
export class MemoryStorage {
  constructor(items = {}) { Object.assign(this, items); }
}
for (const [name, method] of Object.entries({
  getItem(key) { return Object.hasOwn(this, key) ? this[key] : null; },
  setItem(key, value) { this[key] = String(value); },
  removeItem(key) { delete this[key]; },
})) Object.defineProperty(MemoryStorage.prototype, name, { value: method });

// A function that answers the calls in turn; an Error among the answers is thrown.
export function answering(...answers) {
  const calls = [];
  const answer = async (...args) => {
    calls.push(args);
    const next = answers.length > 1 ? answers.shift() : answers[0];
    if (next instanceof Error) throw next;
    return typeof next === 'function' ? next(...args) : next;
  };
  return Object.assign(answer, { calls });
}

// Resolves when all that waits for no answer has been done.
export function turn() { return new Promise((resolve) => { setImmediate(resolve); }); }

// A promise that the test resolves.
export function deferred() {
  let resolve;
  const promise = new Promise((done) => { resolve = done; });
  return { promise, resolve };
}
