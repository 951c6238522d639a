"use strict";
(() => {
  // Rows that a long table shows until it is asked for all; the style has the same number.
  const FEW = 12;
  const UNITS = { "ns": 1, "us": 1e3, "µs": 1e3, "ms": 1e6, "s": 1e9 };

  // The number at the beginning of a text, times in nanoseconds; null for other texts.
  const number = (text) => {
    const found = /^[-+]?[\d,]+(\.\d+)?/.exec(text.trim());
    if (!found) return null;
    const unit = text.trim().slice(found[0].length).trim().split(" ")[0];
    return Number(found[0].replaceAll(",", "")) * (UNITS[unit] || 1);
  };
  const text = (row, column) => (row.cells[column] ? row.cells[column].textContent.trim() : "");
  const make = (name, properties) => Object.assign(document.createElement(name), properties);

  const sortable = (table) => {
    const body = table.tBodies[0];
    const heads = [...table.tHead.rows[0].cells];
    const sort = (column, up) => {
      const key = (row) => ({ row, text: text(row, column), number: number(text(row, column)) });
      const rows = [...body.rows].map(key);
      // Rows without a number come last, whichever way.
      rows.sort((a, b) => {
        if ((a.number === null) !== (b.number === null)) return a.number === null ? 1 : -1;
        const order = a.number !== null ? a.number - b.number : a.text < b.text ? -1 : +(a.text > b.text);
        return up ? order : -order;
      });
      body.append(...rows.map((key) => key.row));
    };
    heads.forEach((head, column) => {
      if (!head.textContent) return;
      const button = make("button", { type: "button" });
      button.append(...head.childNodes);
      head.append(button);
      button.addEventListener("click", () => {
        // Numbers begin with the largest, texts with the first.
        const first = head.classList.contains("n") ? "descending" : "ascending";
        const other = first === "ascending" ? "descending" : "ascending";
        const way = head.getAttribute("aria-sort") === first ? other : first;
        heads.forEach((head) => head.removeAttribute("aria-sort"));
        head.setAttribute("aria-sort", way);
        sort(column, way === "ascending");
      });
    });
  };

  const filterable = (table) => {
    const rows = table.tBodies[0].rows;
    const said = make("output", {});
    const input = make("input", { type: "search", placeholder: "filter rows" });
    input.setAttribute("aria-label", "filter the rows of this table");
    const all = make("button", { type: "button", className: "all" });
    const cut = (on) => {
      table.classList.toggle("cut", on);
      all.textContent = on ? "show all " + rows.length + " rows" : "show fewer rows";
    };
    input.addEventListener("input", () => {
      const wanted = input.value.toLowerCase();
      let shown = 0;
      for (const row of rows) {
        row.hidden = !row.textContent.toLowerCase().includes(wanted);
        if (!row.hidden) shown += 1;
      }
      if (wanted) cut(false);
      said.textContent = wanted ? " " + shown + " of " + rows.length + " rows" : "";
    });
    all.addEventListener("click", () => cut(!table.classList.contains("cut")));
    const line = make("p", { className: "filter" });
    line.append(input, said);
    table.parentElement.before(line);
    table.parentElement.after(all);
    cut(true);
  };

  for (const table of document.querySelectorAll("table")) {
    if (!table.tHead || table.tBodies[0].rows.length < 2) continue;
    const value = [...table.tHead.rows[0].cells].findIndex((cell) => cell.textContent === "value");
    if (value >= 0 && table.closest("[data-method]")) {
      for (const row of table.tBodies[0].rows) row.dataset.value = text(row, value);
    }
    sortable(table);
    if (table.tBodies[0].rows.length > FEW + 2) filterable(table);
  }

  // A tensor lights up in the map, in all tables of its method, and as a span of
  // instructions in the charts over instructions. A click keeps it lit.
  const SVG = "http://www.w3.org/2000/svg";
  const spans = (section, boxes) => {
    for (const field of section.querySelectorAll("rect.field")) {
      const chart = field.closest("svg");
      if (boxes.some((box) => chart.contains(box))) continue;
      for (const box of boxes) {
        const span = document.createElementNS(SVG, "rect");
        span.setAttribute("class", "span");
        for (const name of ["x", "width"]) span.setAttribute(name, box.getAttribute(name));
        for (const name of ["y", "height"]) span.setAttribute(name, field.getAttribute(name));
        chart.append(span);
      }
    }
  };
  for (const section of document.querySelectorAll("[data-method]")) {
    const linked = new Map();
    for (const part of section.querySelectorAll("[data-value]")) {
      const value = part.dataset.value;
      if (!linked.has(value)) linked.set(value, []);
      linked.get(value).push(part);
    }
    let kept = null;
    const light = (value) => {
      for (const part of section.querySelectorAll(".lit")) part.classList.remove("lit");
      for (const span of section.querySelectorAll("rect.span")) span.remove();
      const parts = linked.get(value) || [];
      for (const part of parts) part.classList.add("lit");
      spans(section, parts.filter((part) => part.tagName === "g").map((part) => part.querySelector("rect")));
    };
    const valueOf = (event) => {
      const part = event.target.closest("[data-value]");
      return part ? part.dataset.value : null;
    };
    section.addEventListener("mouseover", (event) => {
      const value = valueOf(event);
      if (value !== null && kept === null) light(value);
    });
    section.addEventListener("mouseout", (event) => {
      if (valueOf(event) !== null && kept === null) light(null);
    });
    section.addEventListener("click", (event) => {
      const value = valueOf(event);
      if (value === null) return;
      kept = kept === value ? null : value;
      light(kept === null ? value : kept);
    });
  }

  const tip = make("div", { className: "tip", hidden: true });
  tip.setAttribute("aria-hidden", "true");
  document.body.append(tip);
  const place = (event) => {
    const { clientWidth: width, clientHeight: height } = document.documentElement;
    const left = event.clientX + 14 + tip.offsetWidth > width ? event.clientX - 14 - tip.offsetWidth : event.clientX + 14;
    const top = event.clientY + 16 + tip.offsetHeight > height ? event.clientY - 12 - tip.offsetHeight : event.clientY + 16;
    tip.style.left = Math.max(4, left) + "px";
    tip.style.top = Math.max(4, top) + "px";
  };
  for (const svg of document.querySelectorAll("svg")) {
    // Our own tip stands in for the slow one of the browser.
    for (const title of svg.querySelectorAll("g > title")) {
      title.parentElement.dataset.tip = title.textContent;
      title.remove();
    }
    svg.addEventListener("mousemove", (event) => {
      const part = event.target.closest("[data-tip]");
      tip.hidden = !part;
      if (!part) return;
      tip.textContent = part.dataset.tip;
      place(event);
    });
    svg.addEventListener("mouseleave", () => { tip.hidden = true; });
  }
})();
