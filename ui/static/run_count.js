// Shows how far the run in progress is, beside the link to Generate and in the title of the window; '' where none is.
(text) => {
  const link = document.querySelector('.bar a[href$="/generate"]');
  const badge = link?.querySelector('.badge');
  if (badge) badge.remove();
  if (link && text) {
    const count = document.createElement('span');
    count.className = 'badge run';
    count.textContent = text.replace(' of ', '/');
    link.append(count);
  }
  document.title = (text ? `(${text}) ` : '') + document.title.replace(/^\([^)]*\) /, '');
}
