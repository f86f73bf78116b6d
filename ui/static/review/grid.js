// Many images at once: filter, select, decide in one go.
import { button, node } from './elements.js';
import { groupMarks } from './groups.js';
import { PAGE_SIZE, Pager } from './pager.js';
import { defaultOf, FIELDS, searchOf } from './query.js';
import { Selection } from './selection.js';
import { STATE_AFTER, tileOf, walk } from './tile.js';

const CHOICES = { label: ['labels', 'every class'], method: ['methods', 'every method'], model: ['models', 'every model'], word: ['words', 'every word'], reviewer: ['reviewers', 'anybody'], score: ['scores', 'none'] };

export class Grid {
  // fetchPage(question) resolves to { entries, choices, queues, missing }, or to undefined without an answer; ready()
  // once the server has all decisions.
  constructor({ root, fetchPage, ready, decide, onSelect, onQueues, onMissing }) {
    this.root = root;
    this.decide = decide; // (entries, verdict, reason, via)
    this.onQueues = onQueues; // (name → query)
    this.onMissing = onMissing; // (how many images are in no group yet, since they were not compared)
    this.fields = Object.fromEntries(FIELDS.map((name) => [name, root.querySelector(`[name="${name}"]`)]));
    this.tiles = root.querySelector('.grid-tiles');
    this.end = root.querySelector('.grid-end');
    this.selection = new Selection(() => {
      for (const tile of this.tiles.children) tile.setAttribute('aria-pressed', this.selection.has(tile.dataset.id));
      onSelect(this.selection);
    });
    this.pager = new Pager({
      fetchPage: (after, limit) => fetchPage({ query: this.query(), after, limit }),
      ready, // a list that begins anew shows what is decided
      onPage: (answer) => this.append(answer),
      onChange: () => this.paintEnd(),
    });
    for (const field of Object.values(this.fields)) field.addEventListener('change', () => this.reload());
    this.tiles.addEventListener('click', (event) => {
      const tile = event.target.closest('.grid-tile');
      if (tile) this.selection.toggle(this.ids, [...this.tiles.children].indexOf(tile), event.shiftKey);
    });
    this.tiles.addEventListener('keydown', (event) => walk(this.tiles, event));
    this.observer = new IntersectionObserver((entries) => { if (entries[0].isIntersecting) this.more(); });
  }

  get open() { return !this.root.hidden; }

  get entries() { return this.pager.entries; }

  get ids() { return this.entries.map((entry) => entry.id); }

  get allLoadedAreSelected() { return this.selection.isAll(this.ids); }

  // Take the query of an address or of a named queue; what it does not name gets its default.
  take(query) {
    for (const name of FIELDS) this.wish(name, query[name] ?? defaultOf(name));
  }

  show() {
    this.root.hidden = false;
    return this.reload();
  }

  hide() {
    this.root.hidden = true;
    this.writeAddress();
  }

  // A value that the field does not list yet: the server's answer will.
  wish(name, value) {
    const field = this.fields[name];
    if (field.options && ![...field.options].some((option) => option.value === value)) field.add(new Option(value, value));
    field.value = value;
  }

  query() { return Object.fromEntries(FIELDS.map((name) => [name, this.fields[name].value])); }

  writeAddress() {
    history.replaceState(history.state, '', location.pathname + searchOf(this.query(), { grid: this.open }));
  }

  reload() {
    this.writeAddress();
    this.tiles.replaceChildren();
    this.end.textContent = 'Fetching images …';
    this.pager.restart();
    this.selection.clear();
    return this.more();
  }

  more() { return this.open ? this.pager.more() : Promise.resolve(); }

  append(answer) {
    if (answer.choices) this.paintChoices(answer.choices);
    if (answer.queues) this.onQueues(answer.queues);
    this.tiles.append(...answer.entries.map(tileOf));
    this.tiles.firstElementChild?.setAttribute('tabindex', '0');
    this.paintGroups();
    if (answer.missing !== undefined) this.onMissing(answer.missing);
  }

  get grouped() { return this.fields.order.value === 'groups'; }

  // Bands join the tiles of a group of near-duplicates, and its best tile has a mark.
  paintGroups() {
    const marks = this.grouped ? groupMarks(this.entries) : [];
    marks.forEach(({ band, best }, index) => {
      const tile = this.tiles.children[index];
      tile.classList.add(band ? 'band-odd' : 'band-even');
      tile.querySelector('.best')?.remove();
      if (best) tile.append(node('i', 'best', 'best'));
    });
  }

  paintEnd() {
    this.observer.disconnect();
    const { state } = this.pager;
    if (state === 'more') {
      this.end.replaceChildren(button('Load more', () => this.more()));
      this.observer.observe(this.end); // asks at once while the end is in view
    } else if (state === 'failed') {
      this.end.replaceChildren(node('span', 'The images could not be loaded. '), button('Try again', () => this.more()));
    } else this.end.textContent = state === 'empty' ? 'No image matches the filters.' : `${this.entries.length} images`;
  }

  paintChoices(lists) {
    for (const [name, [list, all]] of Object.entries(CHOICES)) {
      const field = this.fields[name];
      const chosen = field.value;
      field.replaceChildren(new Option(all, ''), ...lists[list].map((value) => new Option(value, value)));
      this.wish(name, chosen);
    }
  }

  selectAll() { this.selection.toggleAll(this.ids); }

  selectEverything() { this.selection.set(this.ids, true); }

  // The image that an action on one image means: the first selected one, else the one that has the focus.
  get current() {
    const { activeElement } = document;
    const focused = this.tiles.contains(activeElement) ? activeElement.dataset.id : undefined;
    return this.selected()[0] ?? this.entries.find((entry) => entry.id === focused);
  }

  selected() { return this.entries.filter((entry) => this.selection.has(entry.id)); }

  // Decide on what is selected; it leaves the grid where the filter no longer matches.
  decideSelected(verdict, reason, via) {
    const selected = this.selected();
    if (!selected.length) return;
    this.decide(selected, verdict, reason, via);
    for (const entry of selected) entry.state = STATE_AFTER[verdict] ?? entry.state;
    const wanted = this.fields.state.value;
    this.pager.entries = this.entries.filter((entry) => !wanted || entry.state === wanted);
    this.tiles.replaceChildren(...this.entries.map(tileOf));
    this.paintGroups();
    const first = this.tiles.firstElementChild;
    if (first) { first.tabIndex = 0; first.focus({ preventScroll: true }); }
    this.selection.clear();
    if (this.entries.length < PAGE_SIZE / 2) this.more();
  }
}
