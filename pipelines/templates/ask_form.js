"use strict";
// Fills the form of questions from what was released. Names are text, never markup; nothing is sent before "open".
(() => {
  const form = document.getElementById("ask");
  const data = JSON.parse(document.getElementById("ask-data").textContent);
  const part = (name) => document.getElementById(`ask-${name}`);
  const report = () => data.reports[part("report").value];
  const tables = () => report().periods.find(([period]) => period === part("period").value)[1];
  const columns = () => tables()[part("table").value];
  const own = (of, key) => (Object.hasOwn(of, key) ? of[key] : undefined);
  const called = (column, key) => own(own(data.labels, column) ?? {}, key);

  function choices(name, listed) {
    const before = part(name).value, shown = [...part(name).options].map((each) => [each.value, each.text]);
    if (JSON.stringify(shown) === JSON.stringify(listed)) return;
    part(name).replaceChildren(...listed.map(([value, text]) => new Option(text, value)));
    if (listed.some(([value]) => value === before)) part(name).value = before;
  }

  function box(name, column, value, text, isTicked) {
    const label = document.createElement("label"), input = document.createElement("input");
    Object.assign(input, { type: "checkbox", value, checked: isTicked });
    Object.assign(input.dataset, { of: name, column });
    label.append(input, ` ${text}`);
    return label;
  }

  function ticked(name, column) {
    const boxes = [...form.querySelectorAll("input[type=checkbox]")];
    return boxes.filter((each) => each.checked && each.dataset.of === name && each.dataset.column === column).map((each) => each.value);
  }

  // A folded list of categories; what is ticked stays ticked when the table or the period changes, if it is still there.
  function folded(name, column, text) {
    const before = new Set(ticked(name, column));
    const fold = document.createElement("details"), head = document.createElement("summary"), group = document.createElement("div");
    const earlier = [...form.querySelectorAll("details")].find((each) => each.dataset.name === text);
    const boxes = data.lists[columns()[column]].map((key) => {
      const label = called(column, key);
      return box(name, column, key, label && label !== key ? `${label} (${key})` : key, before.has(key));
    });
    fold.dataset.name = text;
    fold.open = earlier?.open ?? false;
    group.setAttribute("role", "group");
    group.setAttribute("aria-label", text);
    group.className = "boxes";
    group.append(...boxes);
    fold.append(head, group);
    return fold;
  }

  function fill() {
    choices("report", Object.entries(data.reports).map(([name, of]) => [name, of.label]));
    choices("period", report().periods.map(([period]) => [period, period]));
    choices("table", Object.entries(tables()).map(([table, of]) => {
      const told = Object.keys(of).filter((column) => column !== report().key).map((column) => data.columns[column]);
      return [table, `${table} (${told.join(", ")})`];
    }));
    const free = Object.keys(columns()).filter((column) => column !== report().key), before = new Set(ticked("dimension", ""));
    part("dimensions").replaceChildren(...free.map((column) => box("dimension", "", column, data.columns[column], before.has(column))));
    const listed = free.filter((column) => data.lists[columns()[column]].length);
    part("where").replaceChildren(...listed.map((column) => folded("where", column, data.columns[column])));
    part("keys").replaceChildren(folded("key", report().key, data.columns[report().key]));
    tell();
  }

  function asked() {
    const chosen = { report: part("report").value, period: part("period").value, table: part("table").value };
    const where = Object.keys(columns()).flatMap((column) => ticked("where", column).map((key) => `${column}=${key}`));
    return { ...chosen, dimensions: ticked("dimension", ""), where, campaigns: ticked("key", report().key) };
  }

  const quoted = (word) => (/^[\w.,=-]+$/.test(word) ? word : `'${word.replaceAll("'", "'\\''")}'`);

  function tell() {
    const { dimensions, where, campaigns, ...chosen } = asked();
    const words = ["quorum", "ask", ...Object.entries(chosen).flatMap(([name, value]) => [`--${name}`, value])];
    if (dimensions.length) words.push("--dimensions", dimensions.join(","));
    words.push(...where.flatMap((each) => ["--where", each]), ...campaigns.flatMap((key) => ["--key", key]));
    part("command").value = words.map(quoted).join(" ");
    // JSON is YAML, so that nothing in a name can become structure there.
    form.elements.config.value = JSON.stringify({ ops: { [data.op]: { config: asked() } } }, null, 2);
    for (const fold of form.querySelectorAll("details")) {
      const n = fold.querySelectorAll("input:checked").length;
      fold.firstChild.textContent = `${fold.dataset.name}: ${n || form.dataset.all}`;
    }
    part("told").textContent = "";
  }

  async function copy() {
    part("command").select();
    try {
      await navigator.clipboard.writeText(part("command").value);
      part("told").textContent = form.dataset.copied;
    } catch {
      part("told").textContent = form.dataset.selected;
    }
  }

  form.addEventListener("change", (event) => (event.target.tagName === "SELECT" ? fill() : tell()));
  form.addEventListener("submit", () => {
    form.action = part("address").value.trim().replace(/\/+$/, "") + data.path;
  });
  part("copy").addEventListener("click", copy);
  // Behind a proxy the pages and Dagster have one address; a page that is opened as a file names Dagster's own.
  if (location.protocol.startsWith("http")) part("address").value = location.origin;
  fill();
  if (report().periods.some(([period]) => period === form.dataset.period)) {
    part("period").value = form.dataset.period;
    fill();
  }
  form.hidden = false;
})();
