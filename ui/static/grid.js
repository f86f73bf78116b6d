// Many pictures at once: filter, select, decide in one go. The address bar holds the filter.
const GRID_PAGE = 60;
const GRID_FILTERS = ['state', 'label', 'method', 'order'];

class Grid {
  constructor({ root, fetchPage, decide, onSelect }) {
    this.root = root;
    this.fetchPage = fetchPage; // (question) => Promise<{ entries, labels, methods } | undefined>
    this.decide = decide; // (entries, verdict, reason, via)
    this.onSelect = onSelect; // (number of selected)
    this.entries = [];
    this.selected = new Set(); // ids
    this.last = null; // index of the last click, for shift
    this.ended = false;
    this.loading = null;
    this.fields = Object.fromEntries(GRID_FILTERS.map((name) => [name, root.querySelector(`[name="${name}"]`)]));
    this.tiles = root.querySelector('.grid-tiles');
    for (const field of Object.values(this.fields)) field.addEventListener('change', () => this.reload());
    this.tiles.addEventListener('click', (event) => {
      const tile = event.target.closest('.grid-tile');
      if (tile) this.toggle([...this.tiles.children].indexOf(tile), event.shiftKey);
    });
    this.end = root.querySelector('.grid-end');
    new IntersectionObserver((seen) => { if (seen[0].isIntersecting) this.more(); }).observe(this.end);
  }

  get open() { return !this.root.hidden; }

  show(query = null) {
    if (query) for (const name of GRID_FILTERS) if (query.get(name)) this.wish(name, query.get(name));
    this.root.hidden = false;
    return this.reload();
  }

  hide() {
    this.root.hidden = true;
    history.replaceState(history.state, '', location.pathname);
  }

  // A value of the address that the field does not list yet: the server's answer will.
  wish(name, value) {
    const field = this.fields[name];
    if (![...field.options].some((one) => one.value === value)) field.add(new Option(value, value));
    field.value = value;
  }

  filter() { return Object.fromEntries(GRID_FILTERS.map((name) => [name, this.fields[name].value])); }

  reload() {
    const query = new URLSearchParams({ view: 'grid', ...Object.fromEntries(Object.entries(this.filter()).filter(([, value]) => value)) });
    history.replaceState(history.state, '', `${location.pathname}?${query}`);
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
    const answer = await this.fetchPage({ ...this.filter(), after: last ? last.id : null, limit: GRID_PAGE });
    if (this.mark !== mark) return; // another filter was chosen meanwhile
    this.loading = null;
    if (!answer) return;
    this.choices('label', 'every class', answer.labels);
    this.choices('method', 'every method', answer.methods);
    this.ended = answer.entries.length < GRID_PAGE;
    this.entries.push(...answer.entries);
    this.tiles.append(...answer.entries.map((entry) => this.tile(entry)));
    this.end.textContent = this.entries.length ? (this.ended ? `${this.entries.length} pictures` : 'more …') : 'No picture fits.';
  }

  choices(name, all, values) {
    const field = this.fields[name], chosen = field.value;
    field.replaceChildren(new Option(all, ''), ...values.map((value) => new Option(value, value)));
    this.wish(name, chosen);
  }

  tile(entry) {
    const tile = document.createElement('button');
    tile.type = 'button';
    tile.className = `grid-tile ${entry.state}`;
    tile.dataset.id = entry.id;
    tile.setAttribute('aria-pressed', 'false');
    tile.setAttribute('aria-label', `${entry.label}, ${entry.state}: ${entry.prompt}`);
    tile.title = [entry.label, entry.prompt, ...entry.doubts].join('\n');
    const image = new Image();
    image.loading = 'lazy';
    image.alt = '';
    image.src = entry.thumbnail;
    tile.append(image);
    if (entry.doubts.length) tile.append(Object.assign(document.createElement('i'), { className: 'flag' }));
    return tile;
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

  select(ids) {
    this.selected = new Set(ids);
    for (const tile of this.tiles.children) tile.setAttribute('aria-pressed', this.selected.has(tile.dataset.id));
    this.onSelect(this.selected.size);
  }

  selectAll() { this.select(this.selected.size === this.entries.length ? [] : this.entries.map((one) => one.id)); }

  // Decide on what is selected; it leaves the grid where the filter no longer fits.
  act(verdict, reason, via) {
    const chosen = this.entries.filter((one) => this.selected.has(one.id));
    if (!chosen.length) return;
    this.decide(chosen, verdict, reason, via);
    const state = { accept: 'accepted', reject: 'rejected' }[verdict];
    if (state) for (const one of chosen) one.state = state;
    const wanted = this.fields.state.value;
    this.entries = this.entries.filter((one) => !wanted || one.state === wanted);
    this.tiles.replaceChildren(...this.entries.map((entry) => this.tile(entry)));
    this.last = null;
    this.select([]);
    if (this.entries.length < GRID_PAGE / 2) this.more();
  }
}
