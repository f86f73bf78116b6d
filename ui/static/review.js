// The review pane: paints the current picture, turns keys and clicks into decisions. Uses Outbox, Queue and Keys.
const ACTIONS = {
  accept: 'accept', reject: 'reject', skip: 'skip, it comes again later', undo: 'undo, as often as you like',
  mask: 'show what was kept of the photograph', before: 'the photograph, moved as the object was; drag to compare',
  zoom: 'one picture pixel for one of the screen', again: 'the same placement with a new seed',
  flag: 'flag it to be talked about', grid: 'many at once, and back', help: 'this help',
};
const LOOKS = ['mask', 'before', 'zoom', 'grid', 'all', 'help', 'skip', 'filters', 'clear', 'alike'];
const PACE_OVER = 20; // decisions
const parts = {};
element.querySelectorAll('[data-part]').forEach((one) => { parts[one.dataset.part] = one; });
const reasons = JSON.parse(props.reasons);

const done = []; // decisions of this sitting that can be undone: { entry, verdict }
const times = []; // when the last of them were taken, ms
let left = 0; // pending on the server, less what is on its way
let masked = false;
let reading = false; // this name may look only
let leading = false; // this name may settle, make gold items
let queues = {}; // name → query
let trying = false; // another seed is being drawn
let asking = null; // the action whose new key is waited for
const keys = new Keys();

const queue = new Queue({
  fetchEntries: (after, limit) => server.review_queue(after, limit, grid.query()),
});
const outbox = new Outbox({
  prefix: props.library,
  send: (decisions) => server.record_decisions(decisions),
  onChange: ({ waiting, trouble, answer }) => {
    if (answer) {
      left = answer.left - outbox.waiting.reduce((sum, one) => sum + weight(one.verdict), 0);
      paintProgress();
    }
    const problem = answer && answer.saved.map((one) => one.problem).find(Boolean);
    if (problem) {
      say(problem, true);
      if (grid.open) outbox.settled().then(() => grid.reload()); // what was refused is shown as it is
    } else if (trouble) say(`${waiting} not saved yet; the server does not answer. Trying again.`, true);
    else say(waiting ? `saving ${waiting}` : done.length ? 'all saved' : '');
  },
});

const grid = new Grid({
  root: parts.grid,
  fetchPage: (question) => ask(() => server.grid_page(question)),
  decide: (entries, verdict, reason, via) => {
    done.push({ batch: entries.map((one) => ({ id: one.id, weight: one.state === 'pending' ? weight(verdict) : 0 })), verdict });
    entries.forEach((one) => send(one.id, verdict, reason, via));
    left -= sum(done[done.length - 1].batch);
    paintProgress();
  },
  onSelect: (count, everything) => {
    parts.chosen.textContent = everything ? 'all that fit' : count ? `${count} selected` : '';
    parts.everything.hidden = everything || !grid.allLoaded || grid.ended;
    if (!parts.everything.hidden) offerEverything();
  },
  onQueues: paintQueues,
});

// All that are loaded are selected, and there are more: offer those too.
async function offerEverything() {
  const [said, button] = parts.everything.children;
  said.textContent = `The ${grid.entries.length} pictures shown are selected.`;
  button.textContent = 'Select all that fit';
  const answer = await ask(() => server.count_fitting(grid.query()));
  if (answer) button.textContent = `Select all ${answer.count.toLocaleString('en')} that fit`;
}

function paintQueues(known) {
  queues = known;
  const field = parts.grid.querySelector('[name="queue"]');
  const query = JSON.stringify(Object.fromEntries(grid.chosen()));
  const names = Object.keys(queues);
  field.replaceChildren(new Option(names.length ? 'queue …' : 'no queues yet', ''), ...names.map((name) => new Option(name, name)));
  field.value = names.find((name) => JSON.stringify(queues[name]) === query) ?? '';
  parts.grid.querySelector('[data-do="forget"]').hidden = !field.value;
}

// Ask before something that many pictures depend on.
function sure(title, text) {
  const [head, body] = parts.sure.children;
  head.textContent = title;
  body.textContent = text;
  parts.sure.returnValue = 'no';
  parts.sure.showModal();
  return new Promise((resolve) => parts.sure.addEventListener('close', () => resolve(parts.sure.returnValue === 'yes'), { once: true }));
}

function newBatch() { return `all-${Date.now()}-${crypto.getRandomValues(new Uint32Array(2)).join('')}`; }

// One decision for all that fit the query, loaded or not; one undo takes it back.
async function decideEverything(verdict, reason) {
  const counted = await ask(() => server.count_fitting(grid.query()));
  if (!counted || !await sure(`${verdict === 'accept' ? 'Accept' : 'Reject'} ${counted.count.toLocaleString('en')} pictures?`, 'All that fit the filters, also those that you have not seen. One undo takes it back.')) return;
  const batch = newBatch();
  finishBatch(batch, verdict, await ask(() => server.decide_all({ query: grid.query(), verdict, reason, batch })));
}

async function keepBest() {
  if (!await sure('Keep the best of each look?', 'Of the undecided pictures that fit and look alike, all but the best are rejected as duplicates. One undo takes it back.')) return;
  const batch = newBatch();
  finishBatch(batch, 'reject', await ask(() => server.keep_best({ query: grid.query(), batch })));
}

function finishBatch(batch, verdict, answer) {
  if (!answer) return;
  done.push({ all: batch, verdict, count: answer.count });
  left = answer.left;
  paintProgress();
  say(`${answer.count.toLocaleString('en')} ${verdict}ed`);
  grid.reload();
}

async function makeGold(photos) {
  const question = photos ? { photos } : { ids: [...grid.selected] };
  if (!photos && !question.ids.length) { say('Select decided pictures first; their answer is then the known one.', true); return; }
  const answer = await ask(() => server.make_gold(question));
  if (answer) say(`${answer.count} gold items; BACKLOT_GOLD sets their share`);
}

async function saveQueue(name, query) {
  const answer = await ask(() => server.save_queue({ name, query }));
  if (answer) { paintQueues(answer.queues); say(query ? `queue “${name}” saved` : `queue “${name}” removed`); }
}

function takeQuery(query) {
  grid.take(query);
  if (grid.open) grid.reload(); else { grid.address(); again(); }
  paintQuery();
}

function paintQuery() {
  const told = grid.chosen().map(([name, value]) => (['state', 'label', 'method', 'order', 'word'].includes(name) ? value : `${name} ${value}`));
  parts.query.hidden = !told.length;
  grid.fields.cluster.hidden = !grid.fields.cluster.value;
  parts.query.querySelector('b').textContent = told.join(', ');
  const more = grid.chosen().some(([name]) => GRID_MORE.includes(name));
  if (more) showFilters(true);
}

function showFilters(on) {
  parts.more.hidden = !on;
  element.querySelector('[data-do="filters"]').setAttribute('aria-expanded', on);
}

// One sentence under the picture, and over the grid.
function say(sentence, trouble = false) {
  for (const place of [parts.saving, parts.said]) {
    place.textContent = sentence;
    place.classList.toggle('trouble', trouble);
  }
}

function sum(batch) { return batch.reduce((total, one) => total + one.weight, 0); }

function send(id, verdict, reason, via, comment = '') {
  outbox.put({ sample_id: id, verdict, reason, via, comment, shown: shown(), at: new Date().toISOString() });
}

// What the reviewer sees while deciding: it is kept with the decision.
function shown() {
  const query = Object.fromEntries(grid.chosen());
  if (grid.open) return { view: 'grid', query };
  const before = parts.frame.querySelector('.before');
  return { view: 'one', mask: masked, photo: before ? Number(parts.compare.value) : 0, zoom: zoomed(), query };
}

function weight(verdict) { return verdict === 'accept' || verdict === 'reject' ? 1 : 0; }

// "Other" wants a word about it; an empty one is fine, Escape takes the rejection back.
function comment(via) {
  const entry = queue.current;
  if (!entry) return;
  parts.comment.returnValue = '';
  parts.comment.querySelector('input').value = '';
  parts.comment.showModal();
  parts.comment.addEventListener('close', () => {
    if (parts.comment.returnValue === 'send' && queue.current === entry) decide('reject', via, 'other', parts.comment.querySelector('input').value.trim());
  }, { once: true });
}

function decide(verdict, via, reason = null, words = '') {
  const entry = queue.current;
  if (!entry) return;
  if (reading) { // on to the next, nothing is kept
    queue.step(1);
    paint();
    return;
  }
  done.push({ entry, verdict });
  left -= weight(verdict);
  times.push(performance.now());
  if (times.length > PACE_OVER) times.shift();
  send(entry.id, verdict, reason, via, words);
  queue.step(1);
  paint();
}

async function undo(via) {
  const last = done.pop();
  if (last && last.all) {
    const answer = await ask(() => server.undo_all(last.all));
    if (!answer) { done.push(last); return; }
    left = answer.left;
    say(`${answer.count.toLocaleString('en')} taken back`);
    paintProgress();
    if (grid.open) grid.reload(); else again();
    return;
  }
  if (last && last.batch) { // one undo for all that were decided in one go
    left += sum(last.batch);
    last.batch.forEach((one) => send(one.id, 'undo', null, via));
    paintProgress();
    await outbox.settled();
    if (grid.open) grid.reload(); else again();
    return;
  }
  if (last) {
    left += weight(last.verdict);
    if (last.verdict === 'flag') last.entry.flagged = false;
    const index = queue.entries.findIndex((one) => one.id === last.entry.id);
    if (index >= 0) queue.at = index;
    else queue.insert(last.entry);
    queue.step(0);
    paint();
    send(last.entry.id, 'undo', null, via);
    if (grid.open) outbox.settled().then(() => grid.reload());
    return;
  }
  if (outbox.waiting.length) return; // an older decision can be taken back once all are saved
  const answer = await server.undo_last();
  if (!answer || !answer.entry) { say('Nothing to undo.'); return; }
  queue.entries = queue.entries.filter((one) => one.id !== answer.entry.id);
  queue.insert(answer.entry);
  left = answer.left;
  queue.step(0);
  paint();
}

function paint() {
  const entry = queue.current;
  element.firstElementChild.classList.toggle('is-empty', !entry);
  element.querySelectorAll('.review-buttons button:not([data-do="undo"]), .review-more button:not([data-do="help"], [data-do="grid"])').forEach((one) => { one.disabled = !entry; });
  parts.empty.hidden = Boolean(entry);
  parts.frame.hidden = !entry;
  if (!entry) return paintEmpty();
  const image = queue.picture(entry.image);
  image.alt = `${entry.label}: ${entry.prompt}`;
  parts.frame.replaceChildren(image);
  parts.frame.style.aspectRatio = `${entry.width} / ${entry.height}`;
  if (masked) overlay(entry);
  compare(0);
  if (zoomed()) fitFrame(entry);
  parts.label.textContent = entry.flagged ? `${entry.label} ⚑` : entry.label;
  parts.prompt.textContent = entry.prompt;
  parts.facts.replaceChildren(...Object.entries(entry.facts).flatMap(([name, value]) => [made('dt', name), made('dd', value)]));
  parts.doubts.replaceChildren(...entry.doubts.map((one) => made('li', one)));
  element.firstElementChild.dataset.sample = entry.id;
  paintProgress();
}

function paintProgress() {
  parts.left.textContent = `${Math.max(0, left)} left${grid.chosen().length ? ' in all' : ''}`;
  const minutes = times.length > 3 ? (times[times.length - 1] - times[0]) / 60000 : 0;
  const pace = minutes ? (times.length - 1) / minutes : 0;
  document.querySelectorAll('.bar .badge').forEach((one) => { one.textContent = Math.max(0, left); one.hidden = left <= 0; });
  parts.pace.textContent = pace && left > 0 ? `${Math.round(pace)} a minute, about ${inWords((left / pace) * 60)} to go` : '';
  const taken = done.reduce((total, one) => total + (one.all ? one.count : one.batch ? sum(one.batch) : weight(one.verdict)), 0);
  const share = taken + left > 0 ? (100 * taken) / (taken + left) : 0;
  parts.bar.style.width = `${share}%`;
  parts.rail.setAttribute('aria-valuenow', Math.round(share));
}

function paintEmpty() {
  delete element.firstElementChild.dataset.sample;
  const skipped = done.filter((one) => one.verdict === 'skip').length;
  if (!queue.ended) {
    parts.empty.replaceChildren(made('p', 'Fetching pictures …'));
    queue.more().then((answer) => { if (answer) paint(); else setTimeout(paint, 2000); });
  } else if (skipped) {
    parts.empty.replaceChildren(made('h2', 'Only skipped ones are left'), action('Look at them again', () => again()));
  } else if (queue.problem || (grid.chosen().length && left > 0)) {
    const said = queue.problem ? ['This queue cannot be opened', queue.problem] : ['Nothing is left in this queue', 'Others may look at some of it; what they leave comes back after a few minutes.'];
    parts.empty.replaceChildren(made('h2', said[0]), made('p', said[1]), action('The whole queue', () => takeQuery({})));
  } else if (left > 0) {
    parts.empty.replaceChildren(made('h2', 'Others look at the rest'), made('p', 'What they leave comes back after a few minutes.'), action('Look again', () => again()));
  } else {
    const hint = done.length ? 'What you accepted is ready to be published.' : 'Nothing waits for a decision. Generate some pictures first.';
    const link = done.length ? ['Publish', './publish'] : ['Generate', './generate'];
    parts.empty.replaceChildren(made('h2', done.length ? 'All reviewed' : 'Nothing to review'), made('p', hint), anchor(...link));
  }
  paintProgress();
}

function again(ready = Promise.resolve()) {
  for (let i = done.length - 1; i >= 0; i -= 1) if (done[i].verdict === 'skip') done.splice(i, 1);
  const fetched = queue.restart(ready);
  paint(); // nothing to decide about until the pictures are there
  fetched.then(paint);
}

function overlay(entry) {
  if (!entry.mask) return; // nothing of the photograph was kept
  const mask = new Image();
  mask.src = entry.mask;
  mask.decode().then(() => {
    if (!masked || queue.current !== entry) return;
    const canvas = document.createElement('canvas');
    canvas.width = mask.naturalWidth;
    canvas.height = mask.naturalHeight;
    const pen = canvas.getContext('2d');
    pen.drawImage(mask, 0, 0);
    const pixels = pen.getImageData(0, 0, canvas.width, canvas.height);
    for (let i = 0; i < pixels.data.length; i += 4) { // outside the object: a dark veil
      pixels.data[i + 3] = Math.round((255 - pixels.data[i]) * 0.72);
      pixels.data[i] = pixels.data[i + 1] = pixels.data[i + 2] = 16;
    }
    pen.putImageData(pixels, 0, 0);
    parts.frame.querySelectorAll('canvas').forEach((one) => one.remove());
    parts.frame.append(canvas);
  }).catch(() => {});
}

function toggleMask() {
  masked = !masked;
  element.querySelector('[data-do="mask"]').setAttribute('aria-pressed', masked);
  paint();
}

// Show that share of the photograph, in percent from the left, over the picture.
function compare(share) {
  parts.compare.value = share;
  parts.compare.hidden = !parts.frame.querySelector('.before');
  const before = parts.frame.querySelector('.before');
  if (before) before.style.clipPath = `inset(0 ${100 - share}% 0 0)`;
  element.querySelector('[data-do="before"]').setAttribute('aria-pressed', share > 0);
}

async function toggleBefore() {
  const entry = queue.current;
  if (!entry) return;
  if (!parts.frame.querySelector('.before')) {
    const answer = await ask(() => server.photo_in_place(entry.id));
    if (!answer || queue.current !== entry || parts.frame.querySelector('.before')) return;
    const photo = new Image();
    photo.src = answer.image;
    photo.alt = 'The photograph, moved as the object was';
    photo.className = 'before';
    parts.frame.append(photo, parts.compare); // as wide as the picture: its thumb is where the edge is
    compare(100);
  } else compare(Number(parts.compare.value) > 0 ? 0 : 100);
}

function zoomed() { return parts.stage.classList.contains('is-actual'); }

function fitFrame(entry) {
  parts.frame.style.width = zoomed() ? `${entry.width}px` : '';
  parts.frame.style.height = zoomed() ? `${entry.height}px` : '';
}

function toggleZoom() {
  const on = parts.stage.classList.toggle('is-actual');
  element.querySelector('[data-do="zoom"]').setAttribute('aria-pressed', on);
  if (queue.current) fitFrame(queue.current);
}

// The same placement with a new seed comes next; the present picture after it.
async function tryAgain() {
  const entry = queue.current;
  if (!entry || trying) return;
  trying = true;
  say('drawing it again …');
  const answer = await ask(() => server.another_try(entry.id));
  trying = false;
  if (!answer) return;
  say('drawn again');
  left = answer.left;
  const at = queue.entries.findIndex((one) => one.id === entry.id);
  if (at < queue.at) { // decided meanwhile: the new one is shown now
    queue.insert(answer.entry);
  } else queue.entries.splice(at, 0, answer.entry);
  queue.step(0);
  paint();
}

// What the server answers; its refusal is shown, and undefined returned.
async function ask(question) {
  let answer;
  try { answer = await question(); } catch { answer = undefined; }
  if (answer && !answer.problem) return answer;
  say(answer ? answer.problem : 'The server does not answer.', true);
  return undefined;
}

function flag(via) {
  const entry = queue.current;
  if (!entry) return;
  done.push({ entry, verdict: 'flag' });
  send(entry.id, 'flag', null, via);
  entry.flagged = true;
  parts.label.textContent = `${entry.label} ⚑`;
}

function toggleGrid() {
  const on = !grid.open;
  element.firstElementChild.classList.toggle('is-grid', on);
  if (on) outbox.settled().then(() => grid.show()).then(() => grid.tiles.firstElementChild?.focus());
  else {
    paintQuery();
    grid.hide();
    again(outbox.settled()); // the queue without what was decided in the grid
  }
}

function changeName() {
  parts.sign.querySelector('input').value = parts.who.textContent;
  parts.sign.showModal();
}

function signedAs(answer) {
  parts.who.textContent = answer.reviewer;
  reading = answer.role === 'reader';
  leading = answer.role === 'lead';
  element.querySelector('[data-do="name"]').hidden = answer.hosted; // there it is the account's
  element.querySelectorAll('[data-lead]').forEach((one) => { one.hidden = !leading; });
  element.firstElementChild.classList.toggle('is-reading', reading);
  say(reading ? answer.hosted && answer.reviewer === 'visitor' ? 'Sign in to decide; until then you may look.' : 'You may look, not decide: this name is not on the list of reviewers.' : '');
}

function toggleHelp() {
  asking = null;
  paintKeys();
  if (parts.help.open) parts.help.close(); else parts.help.showModal();
}

// The keys in the help and on the buttons. A click on one in the help waits for the new key.
function paintKeys() {
  parts.keys.replaceChildren(...Object.entries(ACTIONS).flatMap(([action, says]) => {
    const button = made('button', asking === action ? '…' : keys.map[action].toUpperCase());
    button.type = 'button';
    button.className = 'key';
    button.setAttribute('aria-label', `change the key of ${action}`);
    button.addEventListener('click', () => { asking = action; paintKeys(); parts.help.focus(); });
    const term = document.createElement('dt');
    term.append(button);
    return [term, made('dd', says)];
  }), made('dt', '1–9'), made('dd', 'reject with a reason'));
  parts.keyhint.textContent = asking ? `Press the new key for ${asking}.` : 'Click a key to change it. Decisions are saved behind the picture; close the page whenever you like.';
  for (const [action, key] of Object.entries(keys.map)) {
    element.querySelectorAll(`[data-do="${action}"]`).forEach((button) => {
      button.setAttribute('aria-keyshortcuts', key);
      button.querySelector('kbd').textContent = key.toUpperCase();
    });
  }
}

function onNewKey(event) {
  if (event.key !== 'Escape' && !Keys.fits(event.key)) return;
  event.preventDefault();
  if (event.key !== 'Escape') keys.set(asking, event.key);
  asking = null;
  paintKeys();
}

function made(tag, text) {
  const node = document.createElement(tag);
  node.textContent = text;
  return node;
}

function anchor(text, address) {
  const node = made('a', text);
  node.href = address;
  node.className = 'go';
  return node;
}

function action(text, act) {
  const node = made('button', text);
  node.type = 'button';
  node.className = 'go';
  node.addEventListener('click', act);
  return node;
}

function inWords(seconds) { return seconds < 90 ? `${Math.round(seconds)} s` : `${Math.round(seconds / 60)} min`; }

function act(what, via) {
  if (what === 'name') return changeName();
  if (reading && !LOOKS.includes(what)) return;
  if (what === 'grid') toggleGrid();
  else if (what === 'all') grid.selectAll();
  else if (what === 'everything') grid.select(grid.entries.map((one) => one.id), true);
  else if (what === 'filters') showFilters(parts.more.hidden);
  else if (what === 'clear') takeQuery({});
  else if (what === 'save') parts.naming.showModal();
  else if (what === 'forget') saveQueue(parts.grid.querySelector('[name="queue"]').value, null);
  else if (what === 'best') keepBest();
  else if (what === 'gold') makeGold(0);
  else if (what === 'gold-photos') makeGold(20);
  else if (what === 'alike') {
    const [one] = grid.picked();
    if (one) takeQuery({ ...grid.query(), state: '', cluster: one.cluster }); else say('Select a picture first; those that look like it follow.', true);
  } else if (grid.open && grid.everything && (what === 'accept' || what === 'reject')) decideEverything(what, null);
  else if (grid.open && grid.everything && what.startsWith('reason:')) decideEverything('reject', what.slice(7));
  else if (grid.open && (what === 'accept' || what === 'reject')) grid.act(what, null, via);
  else if (grid.open && what.startsWith('reason:')) grid.act('reject', what.slice(7), via);
  else if (grid.open && what !== 'undo' && what !== 'help') return;
  else if (what === 'mask') toggleMask();
  else if (what === 'before') toggleBefore();
  else if (what === 'zoom') toggleZoom();
  else if (what === 'again') tryAgain();
  else if (what === 'flag') flag(via);
  else if (what === 'help') toggleHelp();
  else if (what === 'undo') undo(via);
  else if (what === 'reason:other' && !reading) comment(via);
  else if (what.startsWith('reason:')) decide('reject', via, what.slice(7));
  else decide(what, via);
}

function onKey(event) {
  if (!element.isConnected) return document.removeEventListener('keydown', onKey);
  if (element.firstElementChild.offsetParent === null) return;
  if (event.key === 'Enter' || event.key === ' ') return; // a button that has the focus
  if (event.repeat || event.ctrlKey || event.metaKey || event.altKey) return;
  const target = event.composedPath()[0];
  const typed = target instanceof HTMLElement && target.type !== 'range' && target.getClientRects().length; // a closed dialog keeps the focus for a moment
  if (typed && (target.isContentEditable || /^(INPUT|TEXTAREA|SELECT)$/.test(target.tagName))) return;
  if (asking) return onNewKey(event);
  const number = Number(event.key);
  const what = number >= 1 && number <= reasons.length ? `reason:${reasons[number - 1][0]}` : keys.action(event.key);
  if (!what || (parts.help.open && what !== 'help') || parts.sign.open || parts.naming.open || parts.sure.open || parts.comment.open) return;
  event.preventDefault();
  act(what, 'key');
}

parts.reasons.replaceChildren(...reasons.map(([name, title], index) => {
  const button = made('button', title);
  button.type = 'button';
  button.dataset.do = `reason:${name}`;
  button.prepend(made('kbd', String(index + 1)));
  return button;
}));
element.addEventListener('click', (event) => {
  const button = event.target.closest('[data-do]');
  if (button) act(button.dataset.do, 'click');
});
document.addEventListener('keydown', onKey);
parts.compare.addEventListener('input', () => compare(Number(parts.compare.value)));
parts.sign.querySelector('form').addEventListener('submit', async () => { // Escape leaves the name as it is
  const name = parts.sign.querySelector('input').value.trim();
  if (!name || name === parts.who.textContent) return;
  await outbox.settled();
  await ask(() => server.leave_review());
  document.cookie = `backlot_reviewer=${encodeURIComponent(name)};path=/;max-age=31536000;samesite=lax`;
  location.reload();
});
parts.naming.querySelector('form').addEventListener('submit', () => {
  const name = parts.naming.querySelector('input').value.trim();
  parts.naming.querySelector('input').value = '';
  if (name) saveQueue(name, Object.fromEntries(grid.chosen()));
});
parts.grid.querySelector('[name="queue"]').addEventListener('change', (event) => takeQuery(queues[event.target.value] ?? {}));
parts.keyreset.addEventListener('click', () => { keys.reset(); asking = null; paintKeys(); });
paintKeys();
window.addEventListener('beforeunload', (event) => { if (outbox.waiting.length) event.preventDefault(); });

async function begin() {
  const asked = new URLSearchParams(location.search);
  grid.take(Object.fromEntries(asked));
  paintQuery();
  await outbox.flush(); // what an earlier visit could not save comes first
  const answer = await queue.more();
  if (!answer) { // the server is not there yet
    say('The server does not answer. Trying again.', true);
    setTimeout(begin, 2000);
    return;
  }
  signedAs(answer);
  left = answer.left;
  paint();
  if (asked.get('view') === 'grid') {
    element.firstElementChild.classList.add('is-grid');
    grid.show();
  }
}
begin();
