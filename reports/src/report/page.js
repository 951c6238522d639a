"use strict";
(() => {
  const number = (text) => {
    const found = /^[-+]?[\d,]+(\.\d+)?/.exec(text.trim());
    if (!found) return null;
    const unit = text.trim().slice(found[0].length).trim().split(" ")[0];
    const scale = { "ns": 1, "µs": 1e3, "ms": 1e6, "s": 1e9 }[unit] || 1;
    return Number(found[0].replaceAll(",", "")) * scale;
  };
  const compare = (a, b) => {
    const [x, y] = [number(a), number(b)];
    if (x !== null && y !== null) return x - y;
    return a < b ? -1 : a > b ? 1 : 0;
  };
  const text = (row, column) => (row.cells[column] ? row.cells[column].textContent : "");

  const sortable = (table) => {
    const body = table.tBodies[0];
    const heads = [...table.tHead.rows[0].cells];
    heads.forEach((head, column) => {
      if (!head.textContent) return;
      const button = document.createElement("button");
      button.type = "button";
      button.append(...head.childNodes);
      head.append(button);
      button.addEventListener("click", () => {
        const up = head.getAttribute("aria-sort") === "descending";
        heads.forEach((other) => other.removeAttribute("aria-sort"));
        head.setAttribute("aria-sort", up ? "ascending" : "descending");
        const rows = [...body.rows].sort((a, b) => {
          const order = compare(text(a, column), text(b, column));
          return up ? order : -order;
        });
        body.append(...rows);
      });
    });
  };

  const filterable = (table) => {
    const input = document.createElement("input");
    input.type = "search";
    input.placeholder = "filter rows";
    input.setAttribute("aria-label", "filter the rows of this table");
    const said = document.createElement("output");
    input.addEventListener("input", () => {
      const wanted = input.value.toLowerCase();
      let shown = 0;
      for (const row of table.tBodies[0].rows) {
        row.hidden = !row.textContent.toLowerCase().includes(wanted);
        if (!row.hidden) shown += 1;
      }
      said.textContent = wanted ? " " + shown + " of " + table.tBodies[0].rows.length + " rows" : "";
    });
    const line = document.createElement("p");
    line.className = "filter";
    line.append(input, said);
    table.parentElement.before(line);
  };

  for (const table of document.querySelectorAll("table")) {
    if (!table.tHead || table.tBodies[0].rows.length < 2) continue;
    const value = [...table.tHead.rows[0].cells].findIndex((cell) => cell.textContent === "value");
    if (value >= 0 && table.closest("section")) {
      for (const row of table.tBodies[0].rows) row.dataset.value = text(row, value).trim();
    }
    sortable(table);
    if (table.tBodies[0].rows.length > 10) filterable(table);
  }

  for (const section of document.querySelectorAll("section")) {
    const linked = new Map();
    for (const part of section.querySelectorAll("[data-value]")) {
      const value = part.dataset.value;
      if (!linked.has(value)) linked.set(value, []);
      linked.get(value).push(part);
    }
    const light = (event, on) => {
      const part = event.target.closest("[data-value]");
      if (!part) return;
      for (const other of linked.get(part.dataset.value) || []) other.classList.toggle("lit", on);
    };
    section.addEventListener("mouseover", (event) => light(event, true));
    section.addEventListener("mouseout", (event) => light(event, false));
  }

  const tip = document.createElement("div");
  tip.className = "tip";
  tip.hidden = true;
  tip.setAttribute("aria-hidden", "true");
  document.body.append(tip);
  for (const svg of document.querySelectorAll("svg")) {
    svg.addEventListener("mousemove", (event) => {
      const part = event.target.closest("g");
      const title = part && part.querySelector("title");
      tip.hidden = !title;
      if (!title) return;
      tip.textContent = title.textContent;
      const right = event.clientX > window.innerWidth / 2;
      tip.classList.toggle("left", right);
      tip.classList.toggle("bottom", event.clientY < window.innerHeight / 2);
    });
    svg.addEventListener("mouseleave", () => { tip.hidden = true; });
  }
})();
