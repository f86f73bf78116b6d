// What the address of the Photos page says: the filters, the page of the overview, the open photo, the check.
export const SPLITS = ['train', 'test'];
export const STATES = ['check', 'excluded', 'unused'];

// { label, split, state, page, photo, check } of the search part of an address; what it does not name, or names
// wrongly, gets its default: '' for all, page 1, no photo, no check.
export function parse(search) {
  const query = new URLSearchParams(search);
  const among = (name, values) => (values.includes(query.get(name)) ? query.get(name) : '');
  const page = query.get('page') ?? '';
  return {
    label: query.get('class') ?? '',
    split: among('split', SPLITS),
    state: among('state', STATES),
    page: /^[1-9]\d{0,5}$/.test(page) ? Number(page) : 1,
    photo: query.get('photo') ?? '',
    check: query.get('check') === '1',
  };
}

// The search part with its question mark, '' for none: `search` with some fields changed. What is not of this page stays.
export function compose(changes, search = '') {
  const fields = { ...parse(search), ...changes };
  const query = new URLSearchParams(search);
  const values = {
    class: fields.label, split: fields.split, state: fields.state, page: fields.page > 1 ? String(fields.page) : '',
    photo: fields.photo, check: fields.check ? '1' : '',
  };
  for (const [name, value] of Object.entries(values)) {
    query.delete(name);
    if (value) query.set(name, value);
  }
  const composed = String(query);
  return composed && `?${composed}`;
}

// The filters as the server functions take them.
export function filterOf({ label, split, state }) {
  return { class: label, split, state };
}

// Go to the same address with some fields changed, as a link would; every widget of the page follows by `popstate`.
export function go(changes) {
  const search = compose(changes, location.search);
  if (search !== location.search) history.pushState(null, '', location.pathname + search);
  window.dispatchEvent(new PopStateEvent('popstate'));
}

// Show a photo, large; the filters stay, for its arrows and for the way back.
export function openPhoto(id) {
  go({ photo: id, check: false });
}

// Back to the overview, with the filters and the page that it had.
export function closePhoto() {
  go({ photo: '' });
}
