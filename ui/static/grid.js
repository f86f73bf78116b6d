// Many pictures at once: filter, select, decide in one go. The address bar holds the query.
const GRID_PAGE = 60;
const GRID_FIELDS = ['state', 'label', 'method', 'order', 'model', 'word', 'reviewer', 'since', 'until', 'score', 'low', 'high', 'cluster'];
const GRID_FIRST = { state: 'pending', order: 'queue' }; // what the fields say before anything is chosen
const GRID_CHOICES = { label: ['labels', 'every class'], method: ['methods', 'every method'], model: ['models', 'every model'], word: ['words', 'every word'], reviewer: ['reviewers', 'anybody'], score: ['scores', 'none'] };
const GRID_MORE = GRID_FIELDS.slice(4);

class Grid {
  constructor({ root, fetchPage, decide, onSelect, onQueues }) {
    this.root = root;
    this.fetchPage = fetchPage; // (question) => Promise<{ entries, choices, queues } | undefined>
    this.decide = decide; // (entries, verdict, reason, via)
    this.onSelect = onSelect; // (number of selected, whether all that fit are meant)
    this.onQueues = onQueues; // (name → query)
    this.entries = [];
    this.selected = new Set(); // ids
    this.everything = false; // all that fit, also those that are not loaded
    this.last = null; // index of the last click, for shift
    this.ended = false;
    this.loading = null;
    this.fields = Object.fromEntries(GRID_FIELDS.map((name) => [name, root.querySelector(`[name="${name}"]`)]));
    this.tiles = root.querySelector('.grid-tiles');
    for (const field of Object.values(this.fields)) field.addEventListener('change', () => this.reload());
    this.tiles.addEventListener('click', (event) => {
      const tile = event.target.closest('.grid-tile');
      if (tile) this.toggle([...this.tiles.children].indexOf(tile), event.shiftKey);
    });
    this.tiles.addEventListener('keydown', (event) => this.walk(event));
    this.end = root.querySelector('.grid-end');
    new IntersectionObserver((seen) => { if (seen[0].isIntersecting) this.more(); }).observe(this.end);
  }

  get open() { return !this.root.hidden; }

  // Take the query of an address or of a named queue; what it does not name goes back to how it was at first.
  take(query) {
    for (const name of GRID_FIELDS) this.wish(name, query[name] ?? GRID_FIRST[name] ?? '');
  }

  show() {
    this.root.hidden = false;
    return this.reload();
  }

  hide() {
    this.root.hidden = true;
    this.address();
  }

  // A value that the field does not list yet: the server's answer will.
  wish(name, value) {
    const field = this.fields[name];
    if (field.options && ![...field.options].some((one) => one.value === value)) field.add(new Option(value, value));
    field.value = value;
  }

  query() { return Object.fromEntries(GRID_FIELDS.map((name) => [name, this.fields[name].value])); }

  // The fields that are not as they were at first.
  chosen() { return Object.entries(this.query()).filter(([name, value]) => value !== (GRID_FIRST[name] ?? '')); }

  address() {
    const told = Object.entries(this.query()).filter(([, value]) => value);
    const query = new URLSearchParams(this.open ? [['view', 'grid'], ...told] : this.chosen());
    history.replaceState(history.state, '', location.pathname + (String(query) ? `?${query}` : ''));
  }

  reload() {
    this.address();
    this.entries = [];
    this.tiles.replaceChildren();
    this.ended = false;
    this.loading = null;
    this.select([]);
    return this.more();
  }

  more() {
    if (!this.open || this.ended) return Promise.resolve();
    this.loading ??= this.load();
    return this.loading;
  }

  async load() {
    const mark = {};
    this.mark = mark;
    const last = this.entries[this.entries.length - 1];
    const answer = await this.fetchPage({ query: this.query(), after: last ? last.id : null, limit: GRID_PAGE });
    if (this.mark !== mark) return; // another filter was chosen meanwhile
    this.loading = null;
    if (!answer) { this.ended = true; this.end.textContent = ''; return; }
    if (answer.choices) this.choices(answer.choices);
    if (answer.queues) this.onQueues(answer.queues);
    this.ended = answer.entries.length < GRID_PAGE;
    this.entries.push(...answer.entries);
    this.tiles.append(...answer.entries.map((entry) => this.tile(entry)));
    this.tiles.firstElementChild?.setAttribute('tabindex', '0');
    this.end.textContent = this.entries.length ? (this.ended ? `${this.entries.length} pictures` : 'more …') : 'No picture fits.';
  }

  choices(lists) {
    for (const [name, [list, all]] of Object.entries(GRID_CHOICES)) {
      const field = this.fields[name], chosen = field.value;
      field.replaceChildren(new Option(all, ''), ...lists[list].map((value) => new Option(value, value)));
      this.wish(name, chosen);
    }
  }

  tile(entry) {
    const tile = document.createElement('button');
    tile.type = 'button';
    tile.className = `grid-tile ${entry.state}`;
    tile.dataset.id = entry.id;
    tile.tabIndex = -1; // one stop for Tab, arrows inside
    tile.setAttribute('aria-pressed', 'false');
    tile.setAttribute('aria-label', [`${entry.label}, ${entry.state}: ${entry.prompt}`, ...entry.doubts].join('. '));
    tile.title = [entry.label, entry.prompt, ...entry.doubts].join('\n');
    const image = new Image();
    image.loading = 'lazy';
    image.alt = '';
    image.src = entry.thumbnail;
    tile.append(image);
    if (entry.doubts.length) tile.append(Object.assign(document.createElement('i'), { className: 'flag' }));
    return tile;
  }

  // Arrows, Home and End go from tile to tile; Enter and Space press it, with Shift from the last one on.
  walk(event) {
    const tiles = [...this.tiles.children], at = tiles.indexOf(event.target.closest('.grid-tile'));
    if (at < 0) return;
    const across = Math.max(1, getComputedStyle(this.tiles).gridTemplateColumns.split(' ').length);
    const to = { ArrowRight: at + 1, ArrowLeft: at - 1, ArrowDown: at + across, ArrowUp: at - across, Home: 0, End: tiles.length - 1 }[event.key];
    if (to === undefined || !tiles[to]) return;
    event.preventDefault();
    tiles[at].tabIndex = -1;
    tiles[to].tabIndex = 0;
    tiles[to].focus();
  }

  toggle(index, range) {
    const ids = new Set(this.selected);
    if (range && this.last !== null) {
      const [from, to] = [Math.min(this.last, index), Math.max(this.last, index)];
      for (let i = from; i <= to; i += 1) ids.add(this.entries[i].id);
    } else if (ids.has(this.entries[index].id)) ids.delete(this.entries[index].id);
    else ids.add(this.entries[index].id);
    this.last = index;
    this.select(ids);
  }

  select(ids, everything = false) {
    this.selected = new Set(ids);
    this.everything = everything;
    for (const tile of this.tiles.children) tile.setAttribute('aria-pressed', this.selected.has(tile.dataset.id));
    this.onSelect(this.selected.size, everything);
  }

  get allLoaded() { return this.entries.length > 0 && this.selected.size === this.entries.length; }

  selectAll() { this.select(this.allLoaded ? [] : this.entries.map((one) => one.id)); }

  picked() { return this.entries.filter((one) => this.selected.has(one.id)); }

  // Decide on what is selected; it leaves the grid where the filter no longer fits.
  act(verdict, reason, via) {
    const chosen = this.picked();
    if (!chosen.length) return;
    this.decide(chosen, verdict, reason, via);
    const state = { accept: 'accepted', reject: 'rejected' }[verdict];
    if (state) for (const one of chosen) one.state = state;
    const wanted = this.fields.state.value;
    this.entries = this.entries.filter((one) => !wanted || one.state === wanted);
    this.tiles.replaceChildren(...this.entries.map((entry) => this.tile(entry)));
    const first = this.tiles.firstElementChild;
    if (first) { first.tabIndex = 0; first.focus({ preventScroll: true }); }
    this.last = null;
    this.select([]);
    if (this.entries.length < GRID_PAGE / 2) this.more();
  }
}
