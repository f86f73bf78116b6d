// Which tiles of the grid are selected.
export class Selection {
  constructor(onChange) {
    this.onChange = onChange;
    this.ids = new Set();
    this.everything = false; // all that match the filters, loaded or not
    this.anchor = null; // index of the last click: Shift selects from there
  }

  get size() { return this.ids.size; }

  has(id) { return this.ids.has(id); }

  set(ids, everything = false) {
    this.ids = new Set(ids);
    this.everything = everything;
    this.onChange();
  }

  clear() {
    this.anchor = null;
    this.set([]);
  }

  // Turn one tile, or select all from the anchor to it. `ids` are those of the tiles, in order.
  toggle(ids, index, range = false) {
    const selected = new Set(this.ids);
    if (range && this.anchor !== null) {
      const [first, last] = [Math.min(this.anchor, index), Math.max(this.anchor, index)];
      ids.slice(first, last + 1).forEach((id) => selected.add(id));
    } else if (!selected.delete(ids[index])) selected.add(ids[index]);
    this.anchor = index;
    this.set(selected);
  }

  isAll(ids) { return ids.length > 0 && this.ids.size === ids.length; }

  toggleAll(ids) { this.set(this.isAll(ids) ? [] : ids); }
}
