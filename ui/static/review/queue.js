// The images to review. The browser owns the place in the queue; entries are fetched and decoded ahead.
const FETCHED_AT_ONCE = 12; // few: what is fetched is reserved for this reviewer
const FETCH_WHEN_LEFT = 7;
const DECODED_AHEAD = 6;

export class Queue {
  // fetchEntries(after, limit) resolves to { entries, ended, left, problem }, or to undefined without an answer.
  constructor({ fetchEntries, loadImage = loadedImage }) {
    this.fetchEntries = fetchEntries;
    this.loadImage = loadImage;
    this.entries = [];
    this.at = 0;
    this.ended = false;
    this.problem = ''; // why the server refuses the query
    this.dealt = null; // id of the last entry that the server sent: it goes on behind that one
    this.images = new Map(); // address → <img> that is decoded or on its way
    this.fetching = null;
    this.dropped = new Set(); // ids that were decided elsewhere on the page, perhaps not saved yet
    this.round = 0; // how often it was restarted: answers of an earlier round are dropped
  }

  get current() { return this.entries[this.at]; }

  // Fetch the entries that follow the last known one; resolves to the answer, or to undefined without one.
  more() {
    if (this.ended) return Promise.resolve(undefined);
    this.fetching ??= this.fetch(Promise.resolve());
    return this.fetching;
  }

  fetch(ready) {
    const round = this.round;
    return ready.then(() => this.load(round)).finally(() => { if (round === this.round) this.fetching = null; });
  }

  async load(round) {
    if (round !== this.round) return undefined;
    let answer;
    try { answer = await this.fetchEntries(this.dealt, FETCHED_AT_ONCE); } catch { answer = undefined; }
    if (!answer || round !== this.round) return undefined;
    if (answer.entries.length) this.dealt = answer.entries[answer.entries.length - 1].id;
    const known = new Set(this.entries.map((entry) => entry.id));
    this.entries.push(...answer.entries.filter((entry) => !known.has(entry.id) && !this.dropped.has(entry.id)));
    this.ended = answer.ended;
    this.problem = answer.problem;
    this.preload();
    return answer;
  }

  step(by) {
    this.at += by;
    if (this.entries.length - this.at < FETCH_WHEN_LEFT) this.more();
    this.preload();
  }

  // Start again once `ready` resolves: skipped entries come back.
  restart(ready) {
    this.round += 1;
    this.entries = [];
    this.at = 0;
    this.ended = false;
    this.dealt = null;
    this.dropped.clear();
    this.fetching = this.fetch(ready);
    return this.fetching;
  }

  // Make an entry the current one: go to it if it is known, else put it in at this place.
  show(entry) {
    const index = this.entries.findIndex((known) => known.id === entry.id);
    if (index >= 0) this.at = index;
    else this.entries.splice(this.at, 0, entry);
    this.step(0);
  }

  // Put an entry in before another one; behind the current one where that was decided meanwhile, so that the image a
  // reviewer is looking at stays.
  insertBefore(entry, otherId) {
    const index = this.entries.findIndex((known) => known.id === otherId);
    this.entries.splice(index >= this.at ? index : this.at + 1, 0, entry);
    this.step(0);
  }

  remove(id) {
    const index = this.entries.findIndex((entry) => entry.id === id);
    if (index < 0) return;
    this.entries.splice(index, 1);
    if (index < this.at) this.at -= 1;
  }

  // Leave out entries, known or not; where the current one is among them, the next one becomes the current one.
  drop(ids) {
    for (const id of ids) {
      this.dropped.add(id);
      this.remove(id);
    }
    this.step(0);
  }

  image(address) {
    let image = this.images.get(address);
    if (!image) {
      image = this.loadImage(address);
      this.images.set(address, image);
    }
    return image;
  }

  preload() {
    const ahead = this.entries.slice(Math.max(0, this.at - 1), this.at + DECODED_AHEAD + 1);
    const wanted = new Set(ahead.map((entry) => entry.image));
    for (const address of this.images.keys()) if (!wanted.has(address)) this.images.delete(address);
    for (const entry of ahead) this.image(entry.image).decode().catch(() => {});
  }
}

function loadedImage(address) {
  const image = new Image();
  image.decoding = 'sync';
  image.src = address;
  return image;
}
