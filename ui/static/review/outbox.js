// Decisions on their way to the server: sent in order, kept in the browser's storage until the server has
// answered, each with a client id, so that a decision that is sent twice counts once.
const BATCH = 20; // decisions in one request
const FIRST_PAUSE_MS = 500;
const LONGEST_PAUSE_MS = 10_000;
const PATIENCE_MS = 20_000;

export class Outbox {
  // send(decisions) resolves to { saved: [{ client_id, state } | { client_id, refused }], left }, or to
  // undefined when the server does not answer. onChange gets { waiting, trouble, answer, refusals }.
  constructor({ prefix, send, onChange, storage = localStorage, sleep = sleepFor }) {
    this.prefix = `backlot.decision.${prefix}.`;
    this.send = send;
    this.onChange = onChange;
    this.storage = storage;
    this.sleep = sleep;
    this.count = 0;
    this.trouble = false;
    this.busy = false;
    this.unreadable = 0; // stored decisions that were dropped because nobody can read them
    this.waiting = this.stored();
  }

  // What an earlier visit could not send. An entry that cannot be read is removed: it would block the others.
  stored() {
    const keys = Object.keys(this.storage).filter((key) => key.startsWith(this.prefix)).sort();
    return keys.flatMap((key) => {
      const decision = parsed(this.storage.getItem(key));
      if (isDecision(decision) && this.prefix + decision.client_id === key) return [decision];
      this.storage.removeItem(key);
      this.unreadable += 1;
      return [];
    });
  }

  // Queue a decision; returns its client id.
  put(decision) {
    const serial = `${String(Date.now()).padStart(14, '0')}-${String(this.count).padStart(6, '0')}`;
    this.count += 1;
    const entry = { ...decision, client_id: `${serial}-${crypto.getRandomValues(new Uint32Array(1))[0].toString(36)}` };
    try {
      this.storage.setItem(this.prefix + entry.client_id, JSON.stringify(entry));
    } catch { /* the storage is full or blocked: the decision is sent from memory */ }
    this.waiting.push(entry);
    this.flush();
    return entry.client_id;
  }

  // Send until nothing waits. A second call while one is under way returns at once.
  async flush() {
    if (this.busy) return;
    this.busy = true;
    let pause = FIRST_PAUSE_MS;
    while (this.waiting.length) {
      this.onChange({ waiting: this.waiting.length, trouble: this.trouble });
      const batch = this.waiting.slice(0, BATCH);
      const answer = await this.attempt(batch);
      const answered = answer ? this.settle(batch, answer) : [];
      if (!answered.length) { // no server, or a bug there: nothing is dropped, try again
        this.trouble = true;
        this.onChange({ waiting: this.waiting.length, trouble: true });
        await this.sleep(pause);
        pause = Math.min(pause * 2, LONGEST_PAUSE_MS);
        continue;
      }
      pause = FIRST_PAUSE_MS;
      this.trouble = false;
      this.onChange({ waiting: this.waiting.length, trouble: false, answer, refusals: answered.filter((item) => item.refused) });
    }
    this.busy = false;
  }

  // Drop the decisions that the server saved or refused; returns { client_id, refused } of each.
  settle(batch, answer) {
    const sent = new Set(batch.map((decision) => decision.client_id));
    const answered = answer.saved
      .filter((item) => sent.has(item?.client_id))
      .map((item) => ({ client_id: item.client_id, refused: item.refused || item.problem || '' }));
    const settled = new Set(answered.map((item) => item.client_id));
    settled.forEach((id) => this.storage.removeItem(this.prefix + id));
    this.waiting = this.waiting.filter((decision) => !settled.has(decision.client_id));
    return answered;
  }

  // Resolves when nothing waits any more.
  async settled() {
    while (this.busy || this.waiting.length) await this.sleep(30);
  }

  async attempt(decisions) {
    let timer;
    const patience = new Promise((resolve) => { timer = setTimeout(() => resolve(undefined), PATIENCE_MS); });
    try {
      const answer = await Promise.race([this.send(decisions), patience]);
      return Array.isArray(answer?.saved) ? answer : undefined;
    } catch {
      return undefined;
    } finally {
      clearTimeout(timer);
    }
  }
}

function sleepFor(milliseconds) { return new Promise((resolve) => { setTimeout(resolve, milliseconds); }); }

function parsed(text) {
  try { return JSON.parse(text); } catch { return undefined; }
}

function isDecision(value) {
  return Boolean(value) && ['client_id', 'sample_id', 'verdict'].every((name) => typeof value[name] === 'string');
}
