// A list that is fetched page by page. A request that fails leaves the list as it is; `more` asks again.
export const PAGE_SIZE = 60;

export class Pager {
  // fetchPage(after, limit) resolves to { entries, … }, or to undefined without an answer. onPage(answer) is
  // called for each page, and onChange after everything that changes what `state` says. A list begins once ready()
  // resolves.
  constructor({ fetchPage, onPage, onChange, ready = async () => {} }) {
    this.fetchPage = fetchPage;
    this.onPage = onPage;
    this.onChange = onChange;
    this.ready = ready;
    this.restart();
  }

  restart() {
    this.entries = [];
    this.ended = false;
    this.failed = false;
    this.loading = null;
    this.round = {}; // answers of an earlier round are dropped
  }

  more() {
    if (this.ended) return Promise.resolve();
    this.loading ??= this.load(this.round);
    return this.loading;
  }

  async load(round) {
    const last = this.entries[this.entries.length - 1];
    if (!last) await this.ready();
    if (round !== this.round) return;
    let answer;
    try { answer = await this.fetchPage(last ? last.id : null, PAGE_SIZE); } catch { answer = undefined; }
    if (round !== this.round) return;
    this.loading = null;
    this.failed = !answer;
    if (answer) {
      this.ended = answer.entries.length < PAGE_SIZE;
      this.entries.push(...answer.entries);
      this.onPage(answer);
    }
    this.onChange();
  }

  // 'failed', 'empty', 'ended' or 'more'.
  get state() {
    if (this.failed) return 'failed';
    if (!this.ended) return 'more';
    return this.entries.length ? 'ended' : 'empty';
  }
}
