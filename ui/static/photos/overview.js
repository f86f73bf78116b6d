// The overview of the photos: filters in the address, thumbnails, and changes of many photos at once.
import { actionOfClick, actionOfPageKey, counted, deleteQuestion, demoSentence, placeAfterKey, rangeText } from './actions.js';
import { filterOf, go, openPhoto, parse } from './address.js';
import { node, partsOf } from './../review/elements.js';
import { Selection } from './../review/selection.js';

const SPLITS = [['', 'all'], ['train', 'train'], ['test', 'test']];
const STATES = [
  ['', 'all', ''], ['check', 'to check', 'Training photos whose outline should be checked'],
  ['excluded', 'excluded', 'Left out of plans and releases'],
  ['unused', 'no samples yet', 'Training photos that no synthetic image was made from'],
];
const NO_ANSWER = { problem: 'The server did not answer; reload the page.' };
const LONG_PRESS_MS = 500;
const LONG_PRESS_PX = 10;
const FORMS = ['class-form', 'split-form', 'delete-form'];

class Overview {
  constructor({ element, trigger, server }) {
    Object.assign(this, { block: element, trigger, server });
    this.root = element.querySelector('.photos');
    this.parts = partsOf(this.root);
    this.entries = [];
    this.shown = ''; // the last answer as text: an equal one paints nothing
    this.round = 0; // answers of an earlier question are dropped
    this.opened = ''; // the photo that the address opened
    this.selecting = false;
    this.busy = false;
    this.toDelete = null; // the photos that the question is about
    this.selection = new Selection(() => this.selectionChanged());
    this.listen();
    this.paintGround('checker');
    this.follow();
  }

  listen() {
    this.root.addEventListener('click', (event) => {
      const act = event.target.closest('[data-act]');
      if (act) this.act(act.dataset.act, act);
    });
    this.parts.label.addEventListener('change', () => go({ label: this.parts.label.value, page: 1 }));
    this.parts['class-form'].addEventListener('submit', (event) => {
      event.preventDefault();
      this.changeClass(event.target.elements.class.value);
    });
    const { tiles } = this.parts;
    tiles.addEventListener('click', (event) => this.clicked(event));
    tiles.addEventListener('keydown', (event) => this.walk(event));
    tiles.addEventListener('keyup', (event) => { if (event.key === ' ') event.preventDefault(); }); // it would click
    tiles.addEventListener('pointerdown', (event) => this.press(event));
    tiles.addEventListener('contextmenu', (event) => { if (this.held) event.preventDefault(); });
    this.onPage = {
      popstate: () => this.follow(),
      'photos-changed': () => { if (!this.opened) this.load(); },
      keydown: (event) => this.pressed(event),
    };
    for (const [name, listener] of Object.entries(this.onPage)) window.addEventListener(name, listener);
  }

  // Whether the widget is still on the page: Gradio may build it anew.
  get alive() {
    if (this.root.isConnected) return true;
    for (const [name, listener] of Object.entries(this.onPage)) window.removeEventListener(name, listener);
    return false;
  }

  get ids() { return this.entries.map((entry) => entry.id); }

  // Show what the address says: an open photo and the check take the place of the overview.
  follow() {
    if (!this.alive) return;
    const at = parse(location.search);
    const left = this.opened;
    const wasHidden = this.block.classList.contains('photo-open');
    if ((at.photo || at.check) && !wasHidden) this.scroll = window.scrollY;
    this.block.classList.toggle('photo-open', Boolean(at.photo) || at.check);
    this.opened = at.photo;
    const filter = JSON.stringify(filterOf(at));
    if (this.filter !== undefined && filter !== this.filter) this.selection.clear();
    this.filter = filter;
    if (!at.photo && !at.check) this.load().then(() => this.comeBack(wasHidden, left));
  }

  comeBack(wasHidden, left) {
    if (!wasHidden) return;
    window.scrollTo(0, this.scroll ?? 0);
    this.tileOf(left)?.querySelector('.open').focus({ preventScroll: true });
  }

  async load() {
    const at = parse(location.search);
    const round = (this.round += 1);
    const answer = await this.ask('photo_page', { filter: filterOf(at), page: at.page });
    if (round !== this.round) return;
    this.say('problem', answer.problem);
    if (!answer.problem) this.paint(answer, at);
  }

  async ask(name, question) {
    try { return (await this.server[name](question)) ?? NO_ANSWER; } catch { return NO_ANSWER; }
  }

  say(part, text) { this.parts[part].textContent = text ?? ''; }

  // --- what is shown ---

  paint(answer, at) {
    const text = JSON.stringify([answer, at]);
    if (text === this.shown) return;
    this.shown = text;
    const samePhotos = JSON.stringify(answer.entries) === JSON.stringify(this.entries);
    this.mayChange = answer.may_change;
    this.entries = answer.entries;
    this.count = answer.count;
    this.page = answer.page;
    this.paintChoices(answer.choices, at);
    this.paintDemo(answer);
    if (!samePhotos) this.paintTiles();
    this.paintEnd(answer);
    this.paintSelection();
  }

  paintChoices(choices, at) {
    const labels = Object.entries(choices.label);
    const all = labels.reduce((sum, [, number]) => sum + number, 0);
    const known = at.label in choices.label || !at.label;
    this.parts.filters.hidden = !labels.length;
    this.parts.label.replaceChildren(
      new Option(`all classes (${all.toLocaleString('en')})`, ''), ...labels.map(([label, number]) => new Option(`${label} (${number.toLocaleString('en')})`, label)),
      ...(known ? [] : [new Option(`${at.label} (0)`, at.label)]),
    );
    this.parts.label.value = at.label;
    this.parts.classes.replaceChildren(...labels.map(([label]) => new Option(label, label)));
    const splits = { ...choices.split, '': (choices.split.train ?? 0) + (choices.split.test ?? 0) };
    this.paintField('split', SPLITS, splits, at.split);
    this.paintField('state', STATES, choices.state, at.state);
  }

  paintField(name, values, counts, chosen) {
    const focused = this.parts[name].contains(document.activeElement);
    this.parts[name].replaceChildren(...values.map(([value, words, title]) => {
      const choice = node('button', words);
      choice.type = 'button';
      choice.title = title ?? '';
      Object.assign(choice.dataset, { act: 'filter', field: name, value });
      choice.setAttribute('aria-pressed', String(value === chosen));
      choice.append(node('small', (counts[value] ?? 0).toLocaleString('en')));
      return choice;
    }));
    if (focused) this.parts[name].querySelector('[aria-pressed="true"]').focus();
  }

  paintDemo({ demo, total, filling }) {
    const sentence = filling ? '' : demoSentence(demo, total);
    this.parts.demo.hidden = !sentence;
    this.say('demo-words', sentence);
    this.parts.own.hidden = demo !== total;
    this.demo = demo;
    this.askDemo(false);
  }

  // Ask once before the demo set is removed.
  askDemo(asked) {
    this.parts['remove-demo'].hidden = asked || !this.mayChange;
    for (const name of ['remove-demo-now', 'keep-demo']) this.parts[name].hidden = !asked;
    this.say('remove-demo-now', `Delete ${counted(this.demo, 'photo')}`);
    if (asked) this.parts['remove-demo-now'].focus();
  }

  paintTiles() {
    const focused = document.activeElement?.closest?.('.tile')?.dataset.id;
    this.parts.tiles.replaceChildren(...this.entries.map((entry) => tileOf(entry, this.mayChange)));
    const first = (focused && this.tileOf(focused)) || this.parts.tiles.firstElementChild;
    if (first) first.querySelector('.open').tabIndex = 0;
    if (focused && first) first.querySelector('.open').focus({ preventScroll: true });
    this.selection.anchor = null;
  }

  paintEnd({ first, page, pages, total, filling }) {
    const { empty, pager, select } = this.parts;
    pager.hidden = !this.entries.length;
    this.say('range', rangeText(first, this.entries.length, this.count));
    this.parts.previous.hidden = page <= 1;
    this.parts.next.hidden = page >= pages;
    select.hidden = !this.mayChange || !this.entries.length;
    empty.hidden = this.entries.length > 0 || filling;
    const [title, words] = total
      ? ['No photos match', 'Change the filters to see others.']
      : ['No photos yet', 'Import a .zip or a folder with one sub-folder per class, or start with the rendered starter set.'];
    empty.querySelector('h2').textContent = title;
    empty.querySelector('p').textContent = words;
  }

  paintGround(ground) {
    this.parts.tiles.className = `tiles on-${ground}`;
    for (const choice of this.root.querySelectorAll('[data-ground]')) choice.setAttribute('aria-pressed', String(choice.dataset.ground === ground));
  }

  // A form is about the photos that were selected when it opened.
  selectionChanged() {
    this.openForm('');
    this.paintSelection();
  }

  paintSelection() {
    const { size } = this.selection;
    for (const tile of this.parts.tiles.children) {
      const selected = this.selection.has(tile.dataset.id);
      tile.classList.toggle('chosen', selected);
      const box = tile.querySelector('input');
      if (box) box.checked = selected;
    }
    this.root.classList.toggle('is-selecting', size > 0 || this.selecting);
    this.parts.select.setAttribute('aria-pressed', String(this.selecting));
    this.parts.bar.hidden = !size && !this.selecting && !this.parts.said.textContent;
    this.say('count', size || this.selecting ? `${counted(size, 'photo')} selected` : '');
    this.parts.acts.hidden = !size || Boolean(this.openedForm);
    this.parts.all.hidden = size >= (this.count ?? 0);
    this.say('all', `Select all ${(this.count ?? 0).toLocaleString('en')}`);
  }

  tileOf(id) { return [...this.parts.tiles.children].find((tile) => tile.dataset.id === id); }

  // --- what a person does ---

  clicked(event) {
    const tile = event.target.closest('.tile');
    const { held } = this; // the click that ends a long press selects nothing more
    this.held = false;
    if (held) event.preventDefault();
    if (!tile || held) return;
    const onBox = Boolean(event.target.closest('.pick'));
    const action = actionOfClick(event, { onBox, selecting: this.selecting, mayChange: this.mayChange });
    if (action === 'open') {
      openPhoto(tile.dataset.id);
      return;
    }
    event.preventDefault(); // the box is painted with the selection, after the browser has reset it
    setTimeout(() => this.choose(tile, action === 'range'));
  }

  choose(tile, range = false) {
    this.say('said', '');
    this.selection.toggle(this.ids, [...this.parts.tiles.children].indexOf(tile), range);
  }

  // A long press of a finger selects, as on a phone's own photos.
  press(event) {
    const tile = event.target.closest('.tile');
    this.held = false;
    if (event.pointerType !== 'touch' || !tile || !this.mayChange) return;
    const timer = setTimeout(() => {
      this.held = true;
      this.selecting = true;
      this.choose(tile);
    }, LONG_PRESS_MS);
    const moved = (move) => { if (Math.hypot(move.clientX - event.clientX, move.clientY - event.clientY) > LONG_PRESS_PX) end(); };
    const end = () => {
      clearTimeout(timer);
      for (const name of ['pointerup', 'pointercancel']) window.removeEventListener(name, end);
      window.removeEventListener('pointermove', moved);
    };
    for (const name of ['pointerup', 'pointercancel']) window.addEventListener(name, end);
    window.addEventListener('pointermove', moved);
  }

  // Arrows, Home and End go from tile to tile; Enter opens, Space selects, with Shift from the last one on.
  walk(event) {
    const tile = event.target.closest('.tile');
    if (!tile) return;
    if (event.key === ' ' && this.mayChange) {
      event.preventDefault();
      this.choose(tile, event.shiftKey);
      return;
    }
    const tiles = [...this.parts.tiles.children];
    const across = Math.max(1, getComputedStyle(this.parts.tiles).gridTemplateColumns.split(' ').length);
    const next = tiles[placeAfterKey(event.key, tiles.indexOf(tile), { across, count: tiles.length })];
    if (!next || event.ctrlKey || event.metaKey || event.altKey) return;
    event.preventDefault();
    tile.querySelector('.open').tabIndex = -1;
    next.querySelector('.open').tabIndex = 0;
    next.querySelector('.open').focus();
  }

  pressed(event) {
    if (!this.alive || this.root.offsetParent === null || event.defaultPrevented) return;
    const action = actionOfPageKey(event);
    if (action === 'all' && this.mayChange && this.count) {
      event.preventDefault();
      this.selectAll();
    } else if (action === 'escape') this.escape();
  }

  get openedForm() { return FORMS.find((name) => !this.parts[name].hidden); }

  escape() {
    if (this.openedForm) this.openForm('');
    else this.clear();
  }

  clear() {
    this.selecting = false;
    this.say('said', '');
    this.selection.clear();
  }

  // The answer is dropped where the selection, which other filters clear, is another one by then.
  async selectAll() {
    const { ids } = this.selection;
    const answer = await this.ask('photo_ids', filterOf(parse(location.search)));
    if (this.selection.ids !== ids) return;
    this.say('problem', answer.problem);
    if (answer.ids) this.selection.set(answer.ids);
  }

  act(act, button) {
    const { dataset } = button;
    switch (act) {
      case 'filter': return go({ [dataset.field]: dataset.value, page: 1 });
      case 'ground': return this.paintGround(dataset.ground);
      case 'previous': case 'next': return this.turn(this.page + (act === 'next' ? 1 : -1));
      case 'select': this.selecting = !this.selecting; return this.selecting ? this.paintSelection() : this.clear();
      case 'all': return this.selectAll();
      case 'clear': return this.clear();
      case 'cancel': return this.openForm('');
      case 'exclude': case 'include': return this.change('exclude_photos', { excluded: act === 'exclude' });
      case 'class': case 'split': return this.openForm(`${act}-form`);
      case 'move': return this.move(dataset.split);
      case 'delete': return this.askDelete();
      case 'delete-now': return this.change('delete_photos', {}, this.toDelete);
      case 'own': return useOwn();
      case 'remove-demo': case 'keep-demo': return this.askDemo(act === 'remove-demo');
      case 'remove-demo-now': return this.change('remove_demo', {});
      default: return undefined;
    }
  }

  turn(page) {
    go({ page });
    this.root.scrollIntoView({ block: 'start' });
  }

  openForm(form) {
    this.toDelete = null;
    for (const name of FORMS) this.parts[name].hidden = name !== form;
    this.parts.acts.hidden = Boolean(form) || !this.selection.size;
    if (form) this.parts[form].querySelector('input, button').focus();
  }

  // Ask once before photos are deleted, unless the selection or the form is another one by the time of the answer.
  async askDelete() {
    const ids = [...this.selection.ids];
    this.toDelete = ids;
    const { samples, problem } = await this.ask('samples_of_photos', { ids });
    if (this.toDelete !== ids) return;
    this.say('said', problem);
    if (problem) return;
    this.say('question', deleteQuestion(ids.length, samples));
    this.say('delete-now', `Delete ${ids.length.toLocaleString('en')}`);
    this.openForm('delete-form');
    this.toDelete = ids;
  }

  changeClass(label) {
    if (label.trim()) this.change('label_photos', { label });
  }

  async move(split) {
    const ids = [...this.selection.ids];
    if ((await this.change('move_photos', { split })) && split === 'train') await this.cutOut(ids);
  }

  // The objects of photos that came from test are cut out some at a time, about a second each.
  async cutOut(ids) {
    let left = ids.length;
    while (left) {
      const answer = await this.ask('cut_out_photos', { ids });
      this.say('said', answer.problem || (answer.left ? `${this.parts.said.textContent.split(' · ')[0]} · ${counted(answer.left, 'object')} to cut out` : this.parts.said.textContent.split(' · ')[0]));
      left = answer.problem ? 0 : answer.left;
      if (!left) this.changed();
    }
  }

  // Change photos, of the selection unless `ids` names them; resolves to whether it was done.
  async change(name, question, ids = [...this.selection.ids]) {
    if (this.busy) return false;
    this.busy = true;
    const form = this.openedForm;
    const answer = await this.ask(name, { ...question, ids });
    this.busy = false;
    this.say('said', answer.problem || answer.said);
    this.parts.said.classList.toggle('bad', Boolean(answer.problem));
    if (!answer.problem) {
      if (form && form === this.openedForm) this.openForm('');
      await this.changed(name === 'delete_photos' || name === 'remove_demo');
    }
    this.paintSelection();
    return !answer.problem;
  }

  // What was changed may match the filters no more; only what matches stays selected. The answer is dropped where the
  // selection, which other filters clear, is another one by then.
  async changed(gone = false) {
    if (gone) this.selection.set([]);
    this.trigger('changed', {});
    await this.load();
    const filter = filterOf(parse(location.search));
    const { ids: selected } = this.selection;
    if (!selected.size || !Object.values(filter).some(Boolean)) return;
    const { ids } = await this.ask('photo_ids', filter);
    if (this.selection.ids !== selected) return;
    const matching = new Set(ids ?? []);
    const kept = [...selected].filter((id) => matching.has(id));
    if (kept.length < selected.size) this.selection.set(kept);
  }
}

function tileOf(entry, mayChange) {
  const tile = node('div', '', ['tile', ...(entry.excluded ? ['muted'] : [])].join(' '));
  tile.dataset.id = entry.id;
  const caption = entry.split === 'train' ? entry.label : `${entry.label} · ${entry.split}`;
  const facts = [caption, entry.name, ...(entry.excluded ? ['excluded'] : []), ...(entry.doubts ? [`to check: ${entry.doubts}`] : [])];
  const open = node('button', '', 'open');
  open.type = 'button';
  open.tabIndex = -1; // one stop for Tab, arrows inside
  open.setAttribute('aria-label', facts.join(', '));
  open.title = entry.doubts || entry.name;
  const image = new Image();
  image.loading = 'lazy';
  image.draggable = false;
  image.alt = '';
  image.src = entry.thumbnail;
  open.append(image, node('span', caption));
  tile.append(open);
  if (entry.doubts) tile.append(node('b', '', 'flag'));
  if (mayChange) tile.append(boxOf(entry));
  return tile;
}

function boxOf(entry) {
  const label = node('label', '', 'pick');
  const box = document.createElement('input');
  box.type = 'checkbox';
  box.tabIndex = -1; // Space on the photo does the same
  box.setAttribute('aria-label', `Select ${entry.name}`);
  label.append(box);
  return label;
}

// Lead to the import panel.
function useOwn() {
  const panel = document.getElementById('import');
  panel?.scrollIntoView({ behavior: 'smooth', block: 'start' });
  panel?.querySelector('button, input')?.focus({ preventScroll: true });
  panel?.classList.add('called');
}

export function start({ element, trigger, server }) {
  new Overview({ element, trigger, server });
}
