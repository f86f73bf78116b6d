// The dialog with the images most similar to one: what is selected there is decided together.
import { node } from './elements.js';
import { inDigits } from './progress.js';
import { Selection } from './selection.js';
import { tileOf, walk } from './tile.js';

export class Similar {
  // find(id) resolves to { entries, compared, missing }, compare(id) to { missing }; both to undefined without an answer.
  // ready() resolves once the server has all decisions. decide gets (entries, verdict, reason, via).
  constructor({ parts, ready, find, compare, decide }) {
    this.dialog = parts.similar;
    this.tiles = parts.similartiles;
    this.said = parts.similarsaid;
    this.ready = ready;
    this.find = find;
    this.compare = compare;
    this.decide = decide;
    this.entries = [];
    this.selection = new Selection(() => {
      for (const tile of this.tiles.children) tile.setAttribute('aria-pressed', this.selection.has(tile.dataset.id));
      parts.similarchosen.textContent = this.selection.size ? `${this.selection.size} selected` : '';
    });
    this.tiles.addEventListener('click', (event) => {
      const tile = event.target.closest('.grid-tile');
      if (!tile) return;
      this.touched = true;
      this.selection.toggle(this.ids, [...this.tiles.children].indexOf(tile), event.shiftKey);
    });
    this.tiles.addEventListener('keydown', (event) => walk(this.tiles, event));
    this.dialog.addEventListener('close', () => { this.round = {}; }); // answers that are on their way are dropped
  }

  get open() { return this.dialog.open; }

  get ids() { return this.entries.map((entry) => entry.id); }

  close() { this.dialog.close(); }

  // Show the images similar to an entry. A reader sees what is known; for others the rest is compared meanwhile.
  async show(entry, { reading }) {
    const round = {};
    this.round = round;
    this.touched = false;
    this.say('Searching …');
    this.take(entry, []);
    this.dialog.showModal();
    await this.ready(); // what is decided must not be selected as undecided
    let answer = round === this.round ? await this.find(entry.id) : undefined;
    while (answer && round === this.round) {
      this.take(entry, answer.entries);
      this.say(sentenceOf(answer, reading));
      if (reading || !isUnfinished(answer)) return;
      const before = answer;
      const progress = await this.compare(entry.id);
      answer = progress && round === this.round ? await this.find(entry.id) : undefined;
      if (answer?.compared === before.compared && answer.missing >= before.missing) return; // nothing can be compared
    }
  }

  // Paint the entry and those similar to it. Undecided near-duplicates are selected until the reviewer selects.
  take(entry, similar) {
    const selected = this.touched ? [...this.selection.ids] : similar.filter((other) => other.near && other.state === 'pending').map((other) => other.id);
    this.entries = [entry, ...similar];
    this.tiles.replaceChildren(...this.entries.map((shown) => {
      const tile = tileOf(shown);
      tile.append(node('i', shown === entry ? 'this image' : shown.share, 'share'));
      return tile;
    }));
    this.tiles.firstElementChild.tabIndex = 0;
    this.selection.set(selected.filter((id) => this.ids.includes(id)));
  }

  // All undecided ones, or none when they are selected.
  selectAll() {
    this.touched = true;
    this.selection.toggleAll(this.entries.filter((entry) => entry.state === 'pending').map((entry) => entry.id));
  }

  decideSelected(verdict, reason, via) {
    const selected = this.entries.filter((entry) => this.selection.has(entry.id));
    if (!selected.length) return;
    this.decide(selected, verdict, reason, via);
    this.close();
  }

  say(sentence) { this.said.textContent = sentence; }
}

function isUnfinished({ compared, missing }) { return !compared || missing > 0; }

// What the dialog says above the images.
export function sentenceOf({ entries, compared, missing }, reading) {
  if (!compared) return reading ? 'This image has not been compared yet; that happens when a reviewer opens its similar images.' : 'Comparing this image …';
  const left = missing ? `${inDigits(missing)} ${missing === 1 ? 'image is' : 'images are'} not compared yet.` : '';
  if (!entries.length) return left || 'There is no other image.';
  const near = entries.filter((entry) => entry.near).length;
  const known = near ? `${near} ${near === 1 ? 'near-duplicate' : 'near-duplicates'}; the undecided ones are selected.` : 'No near-duplicate; the most similar images come first.';
  return left ? `${known} ${left}` : known;
}
