// Small helpers for building elements.
export function node(tag, text = '', className = '') {
  const element = document.createElement(tag);
  element.textContent = text;
  if (className) element.className = className;
  return element;
}

export function button(text, onClick, className = 'go') {
  const element = node('button', text, className);
  element.type = 'button';
  element.addEventListener('click', onClick);
  return element;
}

export function link(text, address) {
  const element = node('a', text, 'go');
  element.href = address;
  return element;
}

// The elements with data-part, by that name.
export function partsOf(root) {
  return Object.fromEntries([...root.querySelectorAll('[data-part]')].map((part) => [part.dataset.part, part]));
}
