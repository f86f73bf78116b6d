// What this visit decided and can undo, newest last. A step is one decision ({ entry, verdict, ids }), a batch
// of the grid ({ items, verdict }), or everything that matches a query ({ batch, verdict, count }).
export class History {
  constructor() { this.steps = []; }

  record(entry, verdict, clientId) { this.steps.push({ entry, verdict, clientId }); }

  // items: [{ id, weight, clientId }]; the weight is 1 where the sample was pending.
  recordItems(items, verdict) { this.steps.push({ items, verdict }); }

  // A batch is recorded before it is sent, so that it keeps its place among the steps; `count` says how many it decided.
  recordAll(batch, verdict) { this.steps.push({ batch, verdict, count: 0 }); }

  count(batch, count) { this.steps.find((step) => step.batch === batch).count = count; }

  forgetAll(batch) { this.steps = this.steps.filter((step) => step.batch !== batch); }

  get last() { return this.steps[this.steps.length - 1]; }

  pop() { return this.steps.pop(); }

  // A refused decision never happened: undoing it would take back an earlier one.
  forget(clientId) {
    this.steps = this.steps
      .map((step) => (step.items ? { ...step, items: step.items.filter((item) => item.clientId !== clientId) } : step))
      .filter((step) => (step.items ? step.items.length > 0 : step.clientId !== clientId || step.batch));
  }

  forgetSkipped() { this.steps = this.steps.filter((step) => step.verdict !== 'skip'); }

  get skipped() { return this.steps.filter((step) => step.verdict === 'skip').length; }

  // How many samples were decided.
  get decided() { return this.steps.reduce((total, step) => total + stepWeight(step), 0); }

  get isEmpty() { return this.steps.length === 0; }
}

// How much a verdict takes off the pending ones.
export function verdictWeight(verdict) { return verdict === 'accept' || verdict === 'reject' ? 1 : 0; }

export function stepWeight(step) {
  if (step.batch) return step.count;
  return step.items ? step.items.reduce((total, item) => total + item.weight, 0) : verdictWeight(step.verdict);
}
