// Decisions on many images at once, which the server takes on its own. One is under way at a time, and the filters that
// it is asked about are those that it acts on.
import { inDigits } from './progress.js';
import { described } from './query.js';

const VERDICTS = { accept: 'Accept', reject: 'Reject' };
const UNDO = 'One undo takes it back.';
const KEEP_BEST = `Of each group of near-duplicates, all undecided images that match the filters are rejected except the best one. Where an image of the group is accepted, it is the best one. ${UNDO}`;

export class Bulk {
  // ask(question) resolves to the server's answer, or to undefined without one; confirm(title, text) to whether to go
  // on; settled() once all single decisions are saved. wanted() tells whether the reviewer still looks at the grid.
  // onDone gets (answer, what was done).
  constructor({ server, history, ask, confirm, settled, wanted, onDone }) {
    Object.assign(this, { server, history, ask, confirm, settled, wanted, onDone });
    this.busy = false; // from the question to the answer
    this.sending = Promise.resolve(); // resolves when the server has answered the last one
  }

  // One decision for all that match the query, loaded or not; one undo takes it back.
  decideEverything(query, verdict, reason) {
    return this.alone(async () => {
      await this.settled(); // what is decided already must not be counted
      const counted = await this.ask(() => this.server.count_fitting(query));
      if (!counted || !this.wanted()) return;
      const { title, text } = bulkQuestion(verdict, counted, described(query));
      if (await this.confirm(title, text)) await this.send(verdict, (batch) => this.server.decide_all({ query, verdict, reason, batch }));
    });
  }

  // Of each group of near-duplicates with an image in `kept`, reject the others; where `kept` is empty, all but the best
  // of each group. One undo takes it back.
  rejectOthers(query, kept) {
    return this.alone(async () => {
      if (!kept.length && !await this.confirm('Keep the best of each group?', KEEP_BEST)) return;
      await this.settled(); // decisions that are on their way may decide which is the best
      await this.send('reject', (batch) => this.server.keep_best({ query, kept, batch }));
    });
  }

  // Take back a step of the history.
  undo({ batch }) {
    return this.alone(async () => {
      const answer = await this.answerTo(() => this.server.undo_all(batch));
      if (!answer) return;
      this.history.forgetAll(batch);
      this.onDone(answer, 'taken back');
    });
  }

  async send(verdict, question) {
    const batch = newBatch();
    this.history.recordAll(batch, verdict);
    const answer = await this.answerTo(() => question(batch));
    if (!answer) { this.history.forgetAll(batch); return; }
    this.history.count(batch, answer.count);
    this.onDone(answer, `${verdict}ed`);
  }

  answerTo(question) {
    const answer = this.ask(question);
    this.sending = answer;
    return answer;
  }

  async alone(task) {
    if (this.busy) return;
    this.busy = true;
    try { await task(); } finally { this.busy = false; }
  }
}

// The question before one decision on everything that matches the filters; `filters` are those in words. Disputed images
// are never among them: a lead settles those one by one.
export function bulkQuestion(verdict, { count, disputed = 0 }, filters = '') {
  const left = disputed ? ` ${inDigits(disputed)} disputed ${disputed === 1 ? 'image is' : 'images are'} left out; a lead settles them one by one.` : '';
  return {
    title: `${VERDICTS[verdict]} ${inDigits(count - disputed)} images?`,
    text: `This includes every image that matches the filters${filters && ` (${filters})`}, also those that you have not seen.${left} ${UNDO}`,
  };
}

function newBatch() { return `all-${Date.now()}-${crypto.getRandomValues(new Uint32Array(2)).join('')}`; }
