// The steps of one mask since it was opened: undo and redo over all tools. A step is kept as run lengths.
const MOST_STEPS = 200;

export class Edits {
  // `saved`: the run lengths of the stored mask, or null where the photo has none.
  constructor(saved, empty) {
    this.saved = key(saved ?? empty);
    this.steps = [saved ?? empty];
    this.at = 0;
  }

  get runs() { return this.steps[this.at]; }

  get changed() { return key(this.runs) !== this.saved; }

  get canUndo() { return this.at > 0; }

  get canRedo() { return this.at < this.steps.length - 1; }

  // Note the mask after an edit; false where the edit changed nothing.
  add(runs) {
    if (key(runs) === key(this.runs)) return false;
    this.steps.splice(this.at + 1, this.steps.length, runs);
    if (this.steps.length > MOST_STEPS) this.steps.shift();
    this.at = this.steps.length - 1;
    return true;
  }

  undo() { if (this.canUndo) this.at -= 1; return this.runs; }

  redo() { if (this.canRedo) this.at += 1; return this.runs; }

  // `runs`: what was stored; the mask may have been edited since it was sent.
  markSaved(runs) { this.saved = key(runs); }
}

function key(runs) { return runs.join(','); }
