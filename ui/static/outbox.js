// Decisions on their way to the server: in order, kept in localStorage until the server has answered,
// each with a client id of its own, so that a repeat counts once.
class Outbox {
  constructor({ prefix, send, onChange }) {
    this.prefix = `backlot.decision.${prefix}.`;
    this.send = send; // (decisions) => Promise<{ saved: [{ client_id, problem }], left } | undefined>
    this.onChange = onChange; // ({ waiting, trouble, answer })
    this.count = 0;
    this.trouble = false;
    this.waiting = this.kept();
    this.busy = false;
  }

  kept() {
    const keys = Object.keys(localStorage).filter((key) => key.startsWith(this.prefix)).sort();
    return keys.map((key) => JSON.parse(localStorage.getItem(key)));
  }

  put(decision) {
    const serial = `${String(Date.now()).padStart(14, '0')}-${String(this.count++).padStart(6, '0')}`;
    const entry = { ...decision, client_id: `${serial}-${crypto.getRandomValues(new Uint32Array(1))[0].toString(36)}` };
    localStorage.setItem(this.prefix + entry.client_id, JSON.stringify(entry));
    this.waiting.push(entry);
    this.flush();
  }

  async flush() {
    if (this.busy) return;
    this.busy = true;
    let pause = 500;
    while (this.waiting.length) {
      this.onChange({ waiting: this.waiting.length, trouble: this.trouble });
      const answer = await this.attempt(this.waiting.slice(0, 20));
      if (!answer) { // no server, or a bug there: nothing is dropped, try again
        this.trouble = true;
        this.onChange({ waiting: this.waiting.length, trouble: true });
        await new Promise((resolve) => setTimeout(resolve, pause));
        pause = Math.min(pause * 2, 10000);
        continue;
      }
      pause = 500;
      this.trouble = false;
      const saved = new Set(answer.saved.map((one) => one.client_id));
      saved.forEach((id) => localStorage.removeItem(this.prefix + id));
      this.waiting = this.waiting.filter((one) => !saved.has(one.client_id));
      this.onChange({ waiting: this.waiting.length, trouble: false, answer });
    }
    this.busy = false;
  }

  // Resolves when nothing waits any more.
  async settled() {
    while (this.busy || this.waiting.length) await new Promise((resolve) => setTimeout(resolve, 30));
  }

  async attempt(decisions) {
    const patience = new Promise((resolve) => setTimeout(() => resolve(undefined), 20000));
    try {
      const answer = await Promise.race([this.send(decisions), patience]);
      return answer && Array.isArray(answer.saved) ? answer : undefined;
    } catch {
      return undefined;
    }
  }
}
