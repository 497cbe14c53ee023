// Bookmarks, votes and search; everything else works without a script. Foreign text is only ever set as text, never as HTML.
(() => {
  const { root, voting } = document.currentScript.dataset;
  const all = (query, within = document) => [...within.querySelectorAll(query)];
  const key = "panel.bookmarks";
  const isBookmark = (one) => one && typeof one.name === "string" && one.name.length < 200 && /^[a-z0-9-]{1,100}$/.test(one.slug);
  const read = () => { try { return JSON.parse(localStorage.getItem(key) || "[]").filter(isBookmark); } catch { return []; } };
  const write = (marks) => { localStorage.setItem(key, JSON.stringify(marks)); show(); };
  const item = (slug, name, ...more) => {
    const row = document.createElement("li"), head = document.createElement("h3"), link = document.createElement("a");
    link.href = `${root}tools/${slug}/`;
    link.textContent = name;
    link.dir = "auto";
    head.append(link);
    row.append(head, ...more);
    return row;
  };
  const line = (text, kind) => {
    const made = document.createElement("p");
    made.className = kind;
    made.textContent = text;
    return made;
  };
  const remove = ({ slug, name }) => {
    const button = document.createElement("button");
    button.type = "button";
    button.textContent = "Remove";
    button.setAttribute("aria-label", `Remove ${name}`);
    button.onclick = () => write(read().filter((mark) => mark.slug !== slug));
    return button;
  };
  const show = () => {
    const marks = read();
    for (const button of all("[data-bookmark]")) {
      button.hidden = false;
      button.setAttribute("aria-pressed", marks.some((mark) => mark.slug === button.dataset.bookmark));
    }
    for (const list of all("[data-bookmarks]"))
      list.replaceChildren(...marks.map((mark) => item(mark.slug, mark.name, ...(list.matches(".rows") ? [remove(mark)] : []))));
    for (const none of all("[data-none]")) none.hidden = marks.length > 0;
  };
  const setStatus = (text) => { for (const place of all("[data-status]")) place.textContent = text; };
  const bookmarks = () => {
    try { localStorage.setItem(`${key}.try`, "1"); localStorage.removeItem(`${key}.try`); } catch { return; }
    for (const part of all("[data-script]")) part.hidden = false;
    for (const button of all("[data-bookmark]"))
      button.onclick = () => {
        const { bookmark: slug, name } = button.dataset, marks = read(), rest = marks.filter((mark) => mark.slug !== slug);
        write(rest.length < marks.length ? rest : [...marks, { slug, name }]);
      };
    for (const button of all("[data-export]"))
      button.onclick = () => {
        const link = document.createElement("a");
        link.href = URL.createObjectURL(new Blob([JSON.stringify(read(), null, 1)], { type: "application/json" }));
        link.download = "bookmarks.json";
        link.click();
        URL.revokeObjectURL(link.href);
      };
    for (const input of all("[data-import]"))
      input.onchange = async () => {
        try {
          const before = read(), found = JSON.parse(await input.files[0].text());
          const fresh = found.filter((one) => isBookmark(one) && !before.some((mark) => mark.slug === one.slug));
          write([...before, ...new Map(fresh.map(({ slug, name }) => [slug, { slug, name }])).values()]);
          setStatus(`${read().length - before.length} added, ${read().length} in all.`);
        } catch { setStatus("This file has no bookmarks; choose one that was exported here."); }
        input.value = "";
      };
    addEventListener("storage", show);
    show();
  };
  const counted = ({ total, ships, skips }) =>
    !total ? "No community votes yet"
      : `${total} vote${total === 1 ? "" : "s"}${ships === null ? "" : ` · ${ships} ship / ${skips} skip`}`;
  const vote = (votes) => {
    for (const place of all("[data-votes]"))
      if (votes[place.dataset.votes]) place.textContent = counted(votes[place.dataset.votes]);
    for (const form of all("[data-vote]")) {
      const mine = votes[form.dataset.vote]?.mine;
      for (const button of all("[aria-pressed]", form)) button.setAttribute("aria-pressed", button.value === mine);
      for (const button of all("[value=withdraw]", form)) button.hidden = !mine;
    }
  };
  const votes = async () => {
    const slugs = new Set(all("[data-votes]").map((place) => place.dataset.votes));
    for (const form of all("[data-vote]"))
      form.onsubmit = async (event) => {
        event.preventDefault();
        try {
          const body = new URLSearchParams({ verdict: event.submitter.value });
          const reply = await fetch(form.action, { method: "POST", body, headers: { accept: "application/json" } });
          const answer = await reply.json();
          if (!reply.ok) return setStatus(answer.error || "The vote was not counted; try again later.");
          vote({ [answer.slug]: answer });
          setStatus(answer.mine ? `You voted ${answer.mine}.` : "Your vote was withdrawn.");
        } catch { setStatus("The vote was not counted; try again later."); }
      };
    try { vote(await (await fetch(`${root}votes?tools=${[...slugs]}`)).json()); } catch { /* the counts of the last build stay */ }
  };
  const folded = (text) => text.normalize("NFKD").replace(/\p{M}/gu, "").toLowerCase().match(/[\p{L}\p{N}]+/gu) || [];
  const shard = (word) => [...word].slice(0, 2).map((char) => (/[a-z0-9]/.test(char) ? char : `-${char.codePointAt(0).toString(16)}`)).join("");
  const search = (form) => {
    const [input] = all("input", form), [found] = all("[data-found]"), [results] = all("[data-results]");
    let asked = 0;
    const run = async () => {
      const words = folded(input.value).filter((word) => [...word].length > 1), mine = ++asked;
      if (!words.length) { found.textContent = ""; return results.replaceChildren(); }
      const longest = words.reduce((one, other) => (other.length > one.length ? other : one));
      const reply = await fetch(`${root}search/${shard(longest)}.json`).catch(() => ({}));
      const entries = reply.ok ? await reply.json() : [];
      if (mine !== asked) return;
      const hits = entries.filter((entry) => words.every((word) => entry[4].split(" ").some((other) => other.startsWith(word))));
      const begins = (entry) => folded(entry[1]).join(" ").startsWith(words.join(" "));
      hits.sort((one, other) => begins(other) - begins(one));
      found.textContent = hits.length ? `${hits.length} found${hits.length > 30 ? ", 30 shown" : ""}` : "Nothing found";
      results.replaceChildren(...hits.slice(0, 30).map(([slug, name, tagline, verdict]) => item(slug, name, line(tagline, ""), line(verdict, "about"))));
    };
    form.onsubmit = (event) => { event.preventDefault(); run(); };
    input.oninput = run;
    input.value = new URLSearchParams(location.search).get("q") || "";
    run();
  };
  bookmarks();
  if (voting !== undefined && all("[data-votes]").length) votes();
  for (const form of all("[data-search]")) { form.closest(".search").hidden = false; search(form); }
})();
