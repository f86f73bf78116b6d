// The pictures to look at. The browser owns the place in the queue; entries are fetched and decoded ahead.
const FETCHED_AT_ONCE = 12, FETCH_WHEN_LEFT = 7, DECODED_AHEAD = 6; // few: what is fetched is kept from other reviewers

class Queue {
  constructor({ fetchEntries }) {
    this.fetchEntries = fetchEntries; // (after, limit) => Promise<{ entries, ended, left } | undefined>
    this.entries = [];
    this.at = 0;
    this.ended = false;
    this.problem = '';
    this.pictures = new Map(); // address → <img> that is decoded or on its way
    this.fetching = null;
    this.round = 0; // how often it began again: answers of an earlier round are dropped
  }

  get current() { return this.entries[this.at]; }

  // Entries that follow the last known one. Returns what the server said, undefined when it did not answer.
  more() {
    if (this.ended) return Promise.resolve(undefined);
    this.fetching ??= this.fetched(Promise.resolve());
    return this.fetching;
  }

  fetched(ready) {
    const round = this.round;
    return ready.then(() => this.load(round)).finally(() => { if (round === this.round) this.fetching = null; });
  }

  async load(round) {
    const last = this.entries[this.entries.length - 1];
    let answer;
    try { answer = await this.fetchEntries(last ? last.id : null, FETCHED_AT_ONCE); } catch { answer = undefined; }
    if (!answer || round !== this.round) return undefined;
    const known = new Set(this.entries.map((one) => one.id));
    this.entries.push(...answer.entries.filter((one) => !known.has(one.id)));
    this.ended = answer.ended;
    this.problem = answer.problem; // why the server refuses the query
    this.preload();
    return answer;
  }

  step(by) {
    this.at += by;
    if (this.entries.length - this.at < FETCH_WHEN_LEFT) this.more();
    this.preload();
  }

  // Begin again once `ready` resolves: what was skipped comes back.
  restart(ready) {
    this.round += 1;
    this.entries = [];
    this.at = 0;
    this.ended = false;
    this.fetching = this.fetched(ready);
    return this.fetching;
  }

  insert(entry) {
    this.entries.splice(this.at, 0, entry);
  }

  picture(address) {
    let image = this.pictures.get(address);
    if (!image) {
      image = new Image();
      image.decoding = 'sync';
      image.src = address;
      this.pictures.set(address, image);
    }
    return image;
  }

  preload() {
    const ahead = this.entries.slice(Math.max(0, this.at - 1), this.at + DECODED_AHEAD + 1);
    const wanted = new Set(ahead.map((one) => one.image));
    for (const address of this.pictures.keys()) if (!wanted.has(address)) this.pictures.delete(address);
    for (const one of ahead) this.picture(one.image).decode().catch(() => {});
  }
}
