// The review pane: paints the current picture, turns keys and clicks into decisions. Uses Outbox and Queue.
const KEYS = { a: 'accept', x: 'reject', s: 'skip', u: 'undo', m: 'mask', '?': 'help' };
const PACE_OVER = 20; // decisions
const parts = {};
element.querySelectorAll('[data-part]').forEach((one) => { parts[one.dataset.part] = one; });
const reasons = JSON.parse(props.reasons);

const done = []; // decisions of this sitting that can be undone: { entry, verdict }
const times = []; // when the last of them were taken, ms
let left = 0; // pending on the server, less what is on its way
let masked = false;

const queue = new Queue({ fetchEntries: (after, limit) => server.review_queue(after, limit) });
const outbox = new Outbox({
  prefix: props.library,
  send: (decisions) => server.record_decisions(decisions),
  onChange: ({ waiting, trouble, answer }) => {
    if (answer) {
      left = answer.left - outbox.waiting.reduce((sum, one) => sum + weight(one.verdict), 0);
      paintProgress();
    }
    const problem = answer && answer.saved.map((one) => one.problem).find(Boolean);
    parts.saving.classList.toggle('trouble', Boolean(trouble || problem));
    if (problem) parts.saving.textContent = problem;
    else if (trouble) parts.saving.textContent = `${waiting} not saved yet; the server does not answer. Trying again.`;
    else parts.saving.textContent = waiting ? `saving ${waiting}` : done.length ? 'all saved' : '';
  },
});

function weight(verdict) { return verdict === 'accept' || verdict === 'reject' ? 1 : 0; }

function decide(verdict, via, reason = null) {
  const entry = queue.current;
  if (!entry) return;
  done.push({ entry, verdict });
  left -= weight(verdict);
  times.push(performance.now());
  if (times.length > PACE_OVER) times.shift();
  queue.step(1);
  paint();
  outbox.put({ sample_id: entry.id, verdict, reason, via, at: new Date().toISOString() });
}

async function undo(via) {
  const last = done.pop();
  if (last) {
    left += weight(last.verdict);
    const index = queue.entries.findIndex((one) => one.id === last.entry.id);
    if (index >= 0) queue.at = index;
    else queue.insert(last.entry);
    queue.step(0);
    paint();
    outbox.put({ sample_id: last.entry.id, verdict: 'undo', reason: null, via, at: new Date().toISOString() });
    return;
  }
  if (outbox.waiting.length) return; // an older decision can be taken back once all are saved
  const answer = await server.undo_last();
  if (!answer || !answer.entry) { parts.saving.textContent = 'Nothing to undo.'; return; }
  queue.entries = queue.entries.filter((one) => one.id !== answer.entry.id);
  queue.insert(answer.entry);
  left = answer.left;
  queue.step(0);
  paint();
}

function paint() {
  const entry = queue.current;
  element.firstElementChild.classList.toggle('is-empty', !entry);
  element.querySelectorAll('.review-buttons button:not([data-do="undo"])').forEach((one) => { one.disabled = !entry; });
  parts.empty.hidden = Boolean(entry);
  parts.frame.hidden = !entry;
  if (!entry) return paintEmpty();
  const image = queue.picture(entry.image);
  image.alt = `${entry.label}: ${entry.prompt}`;
  parts.frame.replaceChildren(image);
  parts.frame.style.aspectRatio = `${entry.width} / ${entry.height}`;
  if (masked) overlay(entry);
  parts.label.textContent = entry.label;
  parts.prompt.textContent = entry.prompt;
  parts.facts.replaceChildren(...Object.entries(entry.facts).flatMap(([name, value]) => [made('dt', name), made('dd', value)]));
  parts.doubts.replaceChildren(...entry.doubts.map((one) => made('li', one)));
  element.firstElementChild.dataset.sample = entry.id;
  paintProgress();
}

function paintProgress() {
  parts.left.textContent = `${Math.max(0, left)} left`;
  const minutes = times.length > 3 ? (times[times.length - 1] - times[0]) / 60000 : 0;
  const pace = minutes ? (times.length - 1) / minutes : 0;
  document.querySelectorAll('.bar .badge').forEach((one) => { one.textContent = Math.max(0, left); one.hidden = left <= 0; });
  parts.pace.textContent = pace && left > 0 ? `${Math.round(pace)} a minute, about ${inWords((left / pace) * 60)} to go` : '';
  const taken = done.filter((one) => weight(one.verdict)).length;
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
    parts.empty.replaceChildren(made('h2', 'Only skipped ones are left'), action('Look at them again', again));
  } else {
    const hint = done.length ? 'What you accepted is ready to be published.' : 'Nothing waits for a decision. Generate some pictures first.';
    const link = done.length ? ['Publish', './publish'] : ['Generate', './generate'];
    parts.empty.replaceChildren(made('h2', done.length ? 'All reviewed' : 'Nothing to review'), made('p', hint), anchor(...link));
  }
  paintProgress();
}

function again() {
  for (let i = done.length - 1; i >= 0; i -= 1) if (done[i].verdict === 'skip') done.splice(i, 1);
  queue.restart().then(paint);
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

function toggleHelp() { if (parts.help.open) parts.help.close(); else parts.help.showModal(); }

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
  if (what === 'mask') toggleMask();
  else if (what === 'help') toggleHelp();
  else if (what === 'undo') undo(via);
  else if (what.startsWith('reason:')) decide('reject', via, what.slice(7));
  else decide(what, via);
}

function onKey(event) {
  if (!element.isConnected) return document.removeEventListener('keydown', onKey);
  if (element.firstElementChild.offsetParent === null) return;
  if (event.repeat || event.ctrlKey || event.metaKey || event.altKey) return;
  const target = event.composedPath()[0];
  if (target instanceof HTMLElement && (target.isContentEditable || /^(INPUT|TEXTAREA|SELECT)$/.test(target.tagName))) return;
  const number = Number(event.key);
  const what = number >= 1 && number <= reasons.length ? `reason:${reasons[number - 1][0]}` : KEYS[event.key.toLowerCase()];
  if (!what || (parts.help.open && what !== 'help')) return;
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
window.addEventListener('beforeunload', (event) => { if (outbox.waiting.length) event.preventDefault(); });

async function begin() {
  await outbox.flush(); // what an earlier visit could not save comes first
  const answer = await queue.more();
  if (!answer) { // the server is not there yet
    parts.saving.textContent = 'The server does not answer. Trying again.';
    setTimeout(begin, 2000);
    return;
  }
  parts.saving.textContent = '';
  left = answer.left;
  paint();
}
begin();
