// The review page: turns keys and clicks into decisions, and paints what follows from them.
import { reasonToWait, resolveAction } from './actions.js';
import { Bulk } from './bulk.js';
import { Dialogs } from './dialogs.js';
import { button, link, node, partsOf } from './elements.js';
import { emptyState } from './empty.js';
import { Grid } from './grid.js';
import { Help } from './help.js';
import { History, stepWeight, verdictWeight } from './history.js';
import { actionOfKey, Keys } from './keys.js';
import { Outbox } from './outbox.js';
import { Pane } from './pane.js';
import { inDigits, Pace, paceInWords, percentDone } from './progress.js';
import { changed, described, MORE_FIELDS, queueNameOf } from './query.js';
import { Queue } from './queue.js';
import { Similar } from './similar.js';

const RETRY_MS = 2000;
const GOLD_PHOTOS = 20;

class ReviewPage {
  constructor({ element, props, server }) {
    this.root = element.firstElementChild;
    this.parts = partsOf(element);
    this.server = server;
    this.reasons = JSON.parse(props.reasons); // [[name, title], …]
    this.history = new History();
    this.pace = new Pace();
    this.left = 0; // pending on the server, less what is on its way
    this.role = '';
    this.queues = {}; // name → query
    this.redrawing = false;
    this.undoing = false; // whether the last decision of an earlier visit is being taken back
    this.refusal = ''; // of the last decisions; stays on the page until the next one
    this.keys = new Keys();
    this.dialogs = new Dialogs(this.parts);
    this.grid = new Grid({
      root: this.parts.grid,
      fetchPage: (question) => this.ask(() => server.grid_page(question)),
      ready: () => this.saved(),
      decide: (entries, verdict, reason, via) => this.decideEntries(entries, verdict, reason, via),
      onSelect: (selection) => this.paintSelection(selection),
      onQueues: (queues) => this.paintQueues(queues),
      onMissing: (missing) => this.compareAll(missing),
    });
    this.similar = new Similar({
      parts: this.parts,
      ready: () => this.saved(),
      find: (id) => this.ask(() => server.similar_samples(id), (sentence) => this.similar.say(sentence)),
      compare: (id) => this.ask(() => server.compare_samples(id), (sentence) => this.similar.say(sentence)),
      decide: (entries, verdict, reason, via) => this.decideSimilar(entries, verdict, reason, via),
    });
    this.comparing = false;
    this.queue = new Queue({ fetchEntries: (after, limit) => server.review_queue(after, limit, this.grid.query()) });
    this.pane = new Pane({ root: this.root, parts: this.parts, imageOf: (address) => this.queue.image(address) });
    this.outbox = new Outbox({
      prefix: props.library,
      send: (decisions) => server.record_decisions(decisions),
      onChange: (change) => this.onOutbox(change),
    });
    this.bulk = new Bulk({
      server,
      history: this.history,
      ask: (question) => this.ask(question),
      confirm: (title, text) => this.dialogs.confirm(title, text),
      settled: () => this.outbox.settled(),
      wanted: () => this.grid.open,
      onDone: (answer, done) => this.afterBulk(answer, done),
    });
    this.paintReasons();
    this.help = new Help({ root: element, parts: this.parts, keys: this.keys });
    this.handlers = this.buildHandlers();
  }

  buildHandlers() {
    const { grid, pane, similar } = this;
    return {
      name: () => this.changeName(),
      decide: ({ verdict, reason }, via) => this.decide(verdict, via, reason),
      comment: (_, via) => this.rejectWithComment(via),
      decideSelected: ({ verdict, reason }, via) => grid.decideSelected(verdict, reason, via),
      decideEverything: ({ verdict, reason }) => this.bulk.decideEverything(grid.query(), verdict, reason),
      undo: (_, via) => this.undo(via),
      flag: (_, via) => this.flag(via),
      mask: () => pane.toggleMask(),
      before: () => pane.togglePhoto((id) => this.ask(() => this.server.photo_in_place(id))),
      zoom: () => pane.toggleZoom(),
      again: () => this.redraw(),
      grid: () => this.toggleGrid(),
      help: () => this.help.toggle(),
      all: () => grid.selectAll(),
      everything: () => grid.selectEverything(),
      filters: () => this.showFilters(this.parts.more.hidden),
      clear: () => this.takeQuery({}),
      save: () => this.saveQueue(),
      forget: () => this.storeQueue(this.queueField.value, null),
      similar: () => this.toggleSimilar(),
      allSimilar: () => similar.selectAll(),
      decideSimilar: ({ verdict, reason }, via) => similar.decideSelected(verdict, reason, via),
      others: () => this.bulk.rejectOthers(grid.query(), grid.selection.everything ? [] : [...grid.selection.ids]),
      alike: () => this.showAlike(),
      gold: () => this.makeGold({ ids: [...grid.selection.ids] }),
      'gold-photos': () => this.makeGold({ photos: GOLD_PHOTOS }),
    };
  }

  get reading() { return this.role === 'reader'; }

  get queueField() { return this.parts.grid.querySelector('[name="queue"]'); }

  // Perform the action of a key or a button.
  act(action, via) {
    const resolved = resolveAction(action, { reader: this.reading, gridOpen: this.grid.open, everything: this.grid.selection.everything, similarOpen: this.similar.open });
    if (!resolved) return;
    const reason = reasonToWait(resolved.name, { undoing: this.undoing, bulk: this.bulk.busy });
    if (!reason) this.handlers[resolved.name]?.(resolved, via);
    else if (this.similar.open) this.similar.say(reason);
    else this.say(reason, true);
  }

  async begin() {
    const search = new URLSearchParams(location.search);
    this.grid.take(Object.fromEntries(search));
    this.paintQuery();
    await this.outbox.flush(); // decisions that an earlier visit could not save come first
    const answer = await this.queue.more();
    if (!answer) {
      this.say('The server does not answer; trying again.', true);
      setTimeout(() => this.begin(), RETRY_MS);
      return;
    }
    this.signIn(answer);
    this.left = answer.left;
    this.paint();
    if (search.get('view') === 'grid') {
      this.root.classList.add('is-grid');
      this.grid.show();
    }
  }

  signIn({ reviewer, role, hosted }) {
    this.role = role;
    this.parts.who.textContent = reviewer;
    this.root.querySelector('[data-do="name"]').hidden = hosted; // there it is the account's
    this.root.querySelectorAll('[data-lead]').forEach((part) => { part.hidden = role !== 'lead'; });
    this.root.classList.toggle('is-reading', this.reading);
    const { unreadable } = this.outbox;
    if (this.reading) this.say(hosted && reviewer === 'visitor' ? 'Sign in to decide; until then you can only look.' : 'You can only look: this name is not on the list of reviewers.');
    else if (unreadable) this.refuse(`${unreadable} stored ${unreadable === 1 ? 'decision was' : 'decisions were'} unreadable and dropped; the images are pending again.`);
    else if (this.refusal) this.say(this.refusal, true);
  }

  // ---- decisions

  // Send one decision; returns its client id.
  send(id, verdict, reason, via, comment = '') {
    this.refusal = '';
    return this.outbox.put({ sample_id: id, verdict, reason, via, comment, shown: this.shown(), at: new Date().toISOString() });
  }

  // What the reviewer sees while deciding: it is stored with the decision.
  shown() {
    const query = changed(this.grid.query());
    if (this.similar.open) return { view: 'similar', of: this.similar.entries[0].id, query };
    if (this.grid.open) return { view: 'grid', query };
    return { view: 'one', mask: this.pane.masked, photo: this.pane.photoShare, zoom: this.pane.zoomed, query };
  }

  decide(verdict, via, reason = null, comment = '') {
    const entry = this.queue.current;
    if (!entry) return;
    if (!this.reading) { // a reader only moves to the next image
      this.left -= verdictWeight(verdict);
      this.pace.note();
      this.history.record(entry, verdict, this.send(entry.id, verdict, reason, via, comment));
    }
    this.queue.step(1);
    this.paint();
  }

  // The reason "other" asks for a comment; Escape cancels the rejection.
  async rejectWithComment(via) {
    const entry = this.queue.current;
    if (!entry) return;
    const comment = await this.dialogs.askComment();
    if (comment !== undefined && this.queue.current === entry) this.decide('reject', via, 'other', comment);
  }

  flag(via) {
    const entry = this.queue.current;
    if (!entry) return;
    this.history.record(entry, 'flag', this.send(entry.id, 'flag', null, via));
    entry.flagged = true;
    this.pane.showFlag();
  }

  decideEntries(entries, verdict, reason, via) {
    const items = entries.map((entry) => ({
      id: entry.id, weight: entry.state === 'pending' ? verdictWeight(verdict) : 0, clientId: this.send(entry.id, verdict, reason, via),
    }));
    this.history.recordItems(items, verdict);
    this.left -= items.reduce((total, item) => total + item.weight, 0);
    this.paintProgress();
  }

  // Decisions on similar images: those that wait in the queue are left out of it.
  decideSimilar(entries, verdict, reason, via) {
    this.decideEntries(entries, verdict, reason, via);
    if (this.grid.open) {
      this.outbox.settled().then(() => this.grid.reload());
      return;
    }
    this.queue.drop(entries.map((entry) => entry.id));
    this.paint();
  }

  afterBulk({ count, left }, done) {
    this.left = left;
    this.paintProgress();
    this.say(`${inDigits(count)} ${done}`);
    this.reloadView();
  }

  async undo(via) {
    if (this.history.isEmpty) await this.undoEarlierVisit();
    else if (this.history.last.batch) await this.bulk.undo(this.history.last);
    else {
      const step = this.history.pop();
      if (step.items) await this.undoItems(step, via);
      else this.undoOne(step, via);
    }
  }

  undoOne({ entry, verdict }, via) {
    this.left += verdictWeight(verdict);
    if (verdict === 'flag') entry.flagged = false;
    this.queue.show(entry);
    this.paint();
    this.send(entry.id, 'undo', null, via);
    if (this.grid.open) this.outbox.settled().then(() => this.grid.reload());
  }

  async undoItems(step, via) {
    this.left += stepWeight(step);
    step.items.forEach((item) => this.send(item.id, 'undo', null, via));
    this.paintProgress();
    await this.outbox.settled();
    this.reloadView();
  }

  // The server takes back whichever decision is the last one: until it has answered, none is taken.
  async undoEarlierVisit() {
    if (this.outbox.waiting.length) return; // possible once all decisions are saved
    this.undoing = true;
    this.say('taking back the last decision …');
    const answer = await this.ask(() => this.server.undo_last());
    this.undoing = false;
    if (!answer) return;
    if (!answer.entry) { this.say('Nothing to undo.'); return; }
    this.say('taken back');
    this.queue.remove(answer.entry.id);
    this.left = answer.left;
    this.queue.show(answer.entry);
    this.paint();
    if (this.grid.open) this.grid.reload();
  }

  onOutbox({ waiting, trouble, answer, refusals = [] }) {
    if (answer) {
      this.left = answer.left - this.outbox.waiting.reduce((total, decision) => total + verdictWeight(decision.verdict), 0);
      refusals.forEach((refusal) => this.history.forget(refusal.client_id));
      this.paintProgress();
    }
    if (refusals.length) {
      this.refuse(refusals[0].refused);
      if (this.grid.open) this.outbox.settled().then(() => this.grid.reload()); // show their stored state
    } else if (trouble) this.say(`${waiting} not saved yet; the server does not answer. Trying again.`, true);
    else if (this.refusal) this.say(this.refusal, true);
    else if (waiting) this.say(`saving ${waiting}`);
    else this.say(this.history.isEmpty ? '' : 'all saved');
  }

  refuse(sentence) {
    this.refusal = sentence;
    this.say(sentence, true);
  }

  // Generate the same placement with a new seed and show it next; the current image follows it.
  async redraw() {
    const entry = this.queue.current;
    if (!entry || this.redrawing) return;
    this.redrawing = true;
    this.say('generating it again …');
    const answer = await this.ask(() => this.server.another_try(entry.id));
    this.redrawing = false;
    if (!answer) return;
    this.left = answer.left;
    this.queue.insertBefore(answer.entry, entry.id);
    if (this.queue.current === answer.entry) this.paint();
    else this.paintProgress(); // the image that is shown stays as it is
    this.say(this.queue.current === answer.entry ? 'generated again' : 'generated again; it is shown later');
  }

  // Resolves to the server's answer; a refusal is shown, and undefined returned.
  async ask(question, say = (sentence) => this.say(sentence, true)) {
    let answer;
    try { answer = await question(); } catch { answer = undefined; }
    if (answer && !answer.problem) return answer;
    say(answer ? answer.problem : 'The server does not answer.');
    return undefined;
  }

  // ---- queues and filters

  takeQuery(query) {
    this.grid.take(query);
    if (this.grid.open) this.grid.reload();
    else {
      this.grid.writeAddress();
      this.restart();
    }
    this.paintQuery();
  }

  showAlike() {
    const [entry] = this.grid.selected();
    if (entry) this.takeQuery({ ...this.grid.query(), state: '', cluster: entry.cluster });
    else this.say('Select an image first; its near-duplicates are then shown.', true);
  }

  // ---- similar images

  toggleSimilar() {
    if (this.similar.open) { this.similar.close(); return; }
    const entry = this.grid.open ? this.grid.current : this.queue.current;
    if (entry) this.similar.show({ thumbnail: entry.image, state: 'pending', ...entry }, { reading: this.reading });
    else this.say('Select an image first; the images most similar to it are then shown.', true);
  }

  // Compare the images that were not compared yet, then show the groups anew.
  async compareAll(missing) {
    if (this.comparing || !missing) return;
    if (this.reading) { this.say(`${inDigits(missing)} images are in no group yet, since they were not compared.`); return; }
    this.comparing = true;
    let left = missing;
    while (left && this.grid.open && this.grid.grouped) {
      this.say(`comparing images: ${inDigits(left)} left`);
      const answer = await this.ask(() => this.server.compare_samples(null));
      if (!answer || answer.missing >= left) break;
      left = answer.missing;
    }
    this.comparing = false;
    if (left) return;
    this.say('all images compared');
    if (this.grid.open && this.grid.grouped && !this.grid.selection.size) this.grid.reload();
  }

  async saveQueue() {
    const name = await this.dialogs.askQueueName();
    if (name) this.storeQueue(name, changed(this.grid.query()));
  }

  // Store a queue under a name; a query of null removes it.
  async storeQueue(name, query) {
    const answer = await this.ask(() => this.server.save_queue({ name, query }));
    if (!answer) return;
    this.paintQueues(answer.queues);
    this.say(`queue “${name}” ${query ? 'saved' : 'removed'}`);
  }

  async makeGold(question) {
    if (question.ids && !question.ids.length) {
      this.say('Select decided images first; their decisions become the known answers.', true);
      return;
    }
    const answer = await this.ask(() => this.server.make_gold(question));
    if (answer) this.say(`${answer.count} gold items; BACKLOT_GOLD sets their share`);
  }

  toggleGrid() {
    const on = !this.grid.open;
    this.root.classList.toggle('is-grid', on);
    if (on) this.grid.show().then(() => this.grid.tiles.firstElementChild?.focus());
    else {
      this.paintQuery();
      this.grid.hide();
      this.restart();
    }
  }

  reloadView() {
    if (this.grid.open) this.grid.reload();
    else this.restart();
  }

  // Resolves once the server has all decisions, those on many images too.
  async saved() {
    await this.bulk.sending;
    await this.outbox.settled();
  }

  // Fetch the queue anew, once all decisions are saved: what is decided must not be dealt again.
  restart() {
    this.history.forgetSkipped();
    const fetched = this.queue.restart(this.saved());
    this.paint(); // no image until the first page has arrived
    fetched.then(() => this.paint());
  }

  async changeName() {
    const name = await this.dialogs.askReviewer(this.parts.who.textContent);
    if (!name) return;
    await this.outbox.settled();
    await this.ask(() => this.server.leave_review());
    document.cookie = `backlot_reviewer=${encodeURIComponent(name)};path=/;max-age=31536000;samesite=lax`;
    location.reload();
  }

  // ---- painting

  paint() {
    const entry = this.queue.current;
    if (entry) this.pane.show(entry);
    else this.paintEmpty();
    this.paintProgress();
  }

  paintEmpty() {
    if (!this.queue.ended) {
      this.pane.showEmpty(node('p', 'Fetching images …'));
      this.queue.more().then((answer) => { if (answer) this.paint(); else setTimeout(() => this.paint(), RETRY_MS); });
      return;
    }
    const { title, text, next } = emptyState({
      skipped: this.history.skipped, problem: this.queue.problem, filtered: described(this.grid.query()) !== '', left: this.left, decided: !this.history.isEmpty,
    });
    const ways = {
      again: () => button('Look again', () => this.restart()),
      'whole queue': () => button('The whole queue', () => this.takeQuery({})),
      publish: () => link('Publish', './publish'),
      generate: () => link('Generate', './generate'),
    };
    this.pane.showEmpty(node('h2', title), ...(text ? [node('p', text)] : []), ways[next]());
  }

  paintProgress() {
    const left = Math.max(0, this.left);
    const share = percentDone(this.history.decided, this.left);
    this.parts.left.textContent = `${left} left${described(this.grid.query()) ? ' in all' : ''}`;
    this.parts.pace.textContent = paceInWords(this.pace.perMinute, this.left);
    this.parts.bar.style.width = `${share}%`;
    this.parts.rail.setAttribute('aria-valuenow', Math.round(share));
    document.querySelectorAll('.bar .badge').forEach((badge) => {
      badge.textContent = left;
      badge.hidden = left === 0;
    });
  }

  paintQuery() {
    const query = this.grid.query();
    const words = described(query);
    this.parts.query.hidden = !words;
    this.parts.query.querySelector('b').textContent = words;
    this.grid.fields.cluster.hidden = !query.cluster;
    if (MORE_FIELDS.some((name) => name in changed(query))) this.showFilters(true);
  }

  paintQueues(queues) {
    this.queues = queues;
    const names = Object.keys(queues);
    this.queueField.replaceChildren(new Option(names.length ? 'queue …' : 'no queues yet', ''), ...names.map((name) => new Option(name, name)));
    this.queueField.value = queueNameOf(this.grid.query(), queues);
    this.parts.grid.querySelector('[data-do="forget"]').hidden = !this.queueField.value;
  }

  paintSelection({ size, everything }) {
    this.parts.chosen.textContent = everything ? 'all that match' : size ? `${size} selected` : '';
    this.parts.everything.hidden = everything || !this.grid.allLoadedAreSelected || this.grid.pager.ended;
    if (!this.parts.everything.hidden) this.offerEverything();
  }

  // All that are loaded are selected, and there are more: offer those too.
  async offerEverything() {
    const [text, offer] = this.parts.everything.children;
    text.textContent = `The ${this.grid.entries.length} images shown are selected.`;
    offer.textContent = 'Select all that match';
    const question = {};
    this.offered = question; // an answer to an earlier question is dropped
    const answer = await this.ask(() => this.server.count_fitting(this.grid.query()));
    if (answer && question === this.offered) offer.textContent = `Select all ${inDigits(answer.count)} that match`;
  }

  paintReasons() {
    this.parts.reasons.replaceChildren(...this.reasons.map(([name, title], index) => {
      const reason = node('button', title);
      reason.type = 'button';
      reason.dataset.do = `reason:${name}`;
      if (index < 9) reason.prepend(node('kbd', String(index + 1))); // later ones have no key
      return reason;
    }));
  }

  showFilters(on) {
    this.parts.more.hidden = !on;
    this.root.querySelector('[data-do="filters"]').setAttribute('aria-expanded', on);
  }

  // One sentence under the image, and over the grid.
  say(sentence, trouble = false) {
    for (const place of [this.parts.saving, this.parts.said]) {
      place.textContent = sentence;
      place.classList.toggle('trouble', trouble);
    }
  }

  // ---- keys

  onKey(event) {
    if (this.root.offsetParent === null || isTyping(event.composedPath()[0])) return;
    if (this.help.changing) {
      if (!event.repeat && !event.ctrlKey && !event.metaKey && !event.altKey) this.help.takeKey(event);
      return;
    }
    const action = actionOfKey(event, this.keys, this.reasons.map(([name]) => name));
    if (!action || (this.help.open && action !== 'help') || this.dialogs.anyOpen) return;
    event.preventDefault();
    this.act(action, 'key');
  }
}

export function start({ element, props, server }) {
  const page = new ReviewPage({ element, props, server });
  element.addEventListener('click', (event) => {
    const pressed = event.target.closest('[data-do]');
    if (pressed) page.act(pressed.dataset.do, 'click');
  });
  page.queueField.addEventListener('change', () => page.takeQuery(page.queues[page.queueField.value] ?? {}));
  const onKey = (event) => {
    if (element.isConnected) page.onKey(event);
    else document.removeEventListener('keydown', onKey);
  };
  document.addEventListener('keydown', onKey);
  window.addEventListener('beforeunload', (event) => { if (page.outbox.waiting.length) event.preventDefault(); });
  page.begin();
}

// Whether a key press belongs to a field. A dialog that was just closed keeps the focus for a moment.
function isTyping(target) {
  if (!(target instanceof HTMLElement) || target.type === 'range' || !target.getClientRects().length) return false;
  return target.isContentEditable || /^(INPUT|TEXTAREA|SELECT)$/.test(target.tagName);
}
