// Sends the page token with every call of a server function: only a page of the studio's own origin can read it.
// A restarted server has a new token; the page asks for it and sends the call again, so that nothing is lost.
(() => {
  const HEADER = 'X-Backlot-Page';
  const plainFetch = window.fetch.bind(window);
  let token = null; // the promise of the token, shared by all calls

  const SERVER_FUNCTION = /\/component_server\/?$/;
  const ask = (address) => plainFetch(address.href.replace(SERVER_FUNCTION, '/page_token'), { cache: 'no-store' })
    .then((answer) => (answer.ok ? answer.text() : ''));

  window.fetch = async (input, init) => {
    const address = new URL(input instanceof Request ? input.url : String(input), document.baseURI);
    if (!SERVER_FUNCTION.test(address.href)) return plainFetch(input, init);
    const send = async (promise) => {
      const headers = new Headers(init?.headers);
      headers.set(HEADER, await promise);
      return plainFetch(input, { ...init, headers });
    };
    const used = (token ??= ask(address));
    let answer;
    try {
      answer = await send(used);
    } catch (error) {
      if (token === used) token = null;
      throw error;
    }
    if (answer.status !== 403) return answer;
    if (token === used) token = null;
    return send(token ??= ask(address));
  };
})();
