// Whatever carries data-pick can be picked: the event `pick` brings its value.
export function start({ element, trigger }) {
  element.addEventListener('click', (event) => {
    const picked = event.target.closest('[data-pick]');
    if (picked) trigger('pick', { value: picked.dataset.pick });
  });
}
