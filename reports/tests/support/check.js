"use strict";
// What cannot be seen in the text of a page: where things lie once they are laid out, and
// what happens when somebody points, clicks and types. Tells each fault in a line.
(() => {
  const faults = [];
  const expect = (holds, fault) => { if (!holds) faults.push(fault); };
  const all = (selector, of) => [...(of || document).querySelectorAll(selector)];
  const fire = (element, type, at) => element.dispatchEvent(
    new MouseEvent(type, Object.assign({ bubbles: true, view: window }, at)));

  const check = () => {
    // Layout: nothing is wider than the page, no text of a chart is cut.
    const root = document.documentElement;
    expect(root.scrollWidth <= root.clientWidth, "the page is " + root.scrollWidth + " wide, of " + root.clientWidth);
    for (const svg of all("svg[role=img]")) {
      const room = svg.viewBox.baseVal;
      for (const text of all("text", svg)) {
        if (getComputedStyle(text).display === "none") continue;
        const box = text.getBBox();
        const inside = box.x >= -1 && box.y >= -2 && box.x + box.width <= room.width + 4
          && box.y + box.height <= room.height + 2;
        expect(inside, "cut in " + svg.getAttribute("aria-label") + ": " + text.textContent);
      }
    }
    for (const cell of all(".tiles > div")) {
      expect(cell.scrollWidth <= cell.clientWidth + 1, "a tile is cut: " + cell.textContent);
    }

    // Tables: a click sorts, another turns it round; sums stay below.
    const tables = all("table").filter((table) => table.tBodies[0].rows.length > 2);
    let sorted = 0;
    for (const table of tables.slice(0, 20)) {
      const heads = [...table.tHead.rows[0].cells];
      const column = heads.findIndex((head) => head.classList.contains("n") && head.querySelector("button"));
      if (column < 0) continue;
      const numbers = () => [...table.tBodies[0].rows].map((row) => {
        const found = /^[\d,]+/.exec(row.cells[column].textContent.trim());
        return found ? Number(found[0].replaceAll(",", "")) : null;
      });
      const units = new Set([...table.tBodies[0].rows].map((row) => row.cells[column].textContent.replace(/[\d,.()]+/g, "").trim().split(" ")[0]));
      const before = numbers().filter((number) => number !== null).sort((a, b) => b - a);
      heads[column].querySelector("button").click();
      expect(heads[column].getAttribute("aria-sort") === "descending", "no first order");
      if (units.size === 1) {
        const now = numbers().filter((number) => number !== null);
        expect(JSON.stringify(now) === JSON.stringify(before), "not sorted: " + now.slice(0, 5));
        sorted += 1;
      }
      heads[column].querySelector("button").click();
      expect(heads[column].getAttribute("aria-sort") === "ascending", "no second order");
      if (units.size === 1) {
        const now = numbers().filter((number) => number !== null);
        expect(JSON.stringify(now) === JSON.stringify(before.reverse()), "not sorted upwards");
      }
    }
    expect(sorted > 0, "no table could be sorted");

    // Long tables: few rows are shown, all on a click, those with a text while it is typed.
    for (const input of all(".filter input").slice(0, 5)) {
      const scroll = input.closest("p").nextElementSibling;
      const table = scroll.querySelector("table");
      // In a part that is closed no row is seen.
      const details = table.closest("details");
      if (details) details.open = true;
      const rows = [...table.tBodies[0].rows];
      const seen = () => rows.filter((row) => row.offsetParent !== null).length;
      expect(seen() === 12, "a long table shows " + seen() + " rows");
      scroll.nextElementSibling.click();
      expect(seen() === rows.length, "all rows are " + seen() + " of " + rows.length);
      const wanted = rows[rows.length - 1].textContent.trim().toLowerCase();
      input.value = wanted;
      input.dispatchEvent(new Event("input"));
      const kept = rows.filter((row) => row.offsetParent !== null);
      expect(kept.length >= 1 && kept.length < rows.length, "the filter keeps " + kept.length);
      expect(kept.every((row) => row.textContent.toLowerCase().includes(wanted)), "the filter keeps others");
      input.value = "";
      input.dispatchEvent(new Event("input"));
      expect(seen() === rows.length, "no filter keeps all");
    }

    // A tensor lights up in map, tables and the charts over instructions, until left.
    const tip = document.querySelector(".tip");
    for (const section of all("[data-method]").slice(0, 3)) {
      const boxes = all("g[data-value]", section);
      if (!boxes.length) continue;
      const value = boxes[0].dataset.value;
      const row = all("tr[data-value]", section).find((row) => row.dataset.value === value);
      expect(row, "no row of value " + value);
      if (!row) continue;
      const lit = () => all(".lit", section);
      const others = () => lit().filter((part) => part.dataset.value !== value);
      fire(row, "mouseover");
      expect(lit().some((part) => part.tagName === "g") && lit().includes(row) && !others().length, "a row lights no box");
      expect(all("rect.span", section).length > 0, "no span in the charts over instructions");
      fire(row, "mouseout");
      expect(!lit().length && !all("rect.span", section).length, "it stays lit");
      fire(boxes[0].querySelector("rect"), "click");
      fire(boxes[0].querySelector("rect"), "mouseout");
      expect(lit().includes(row), "a click does not keep it lit");
      fire(boxes[0].querySelector("rect"), "click");
      fire(boxes[0].querySelector("rect"), "mouseout");
      expect(!lit().length, "a second click does not let go");
      // Details, and none beside the shapes.
      fire(boxes[0].querySelector("rect"), "mousemove", { clientX: 5, clientY: 5 });
      expect(!tip.hidden && tip.textContent.startsWith("value " + value + ": "), "no details: " + tip.textContent);
      const place = tip.getBoundingClientRect();
      expect(place.left >= 0 && place.right <= innerWidth + 1, "details are cut");
      fire(boxes[0].closest("svg"), "mouseleave");
      expect(tip.hidden, "details stay");
    }
    for (const hit of all("rect.hit").slice(0, 1)) {
      fire(hit, "mousemove", { clientX: innerWidth - 5, clientY: innerHeight - 5 });
      expect(/^\d+:\d+ .+: [\d,]+ B = /.test(tip.textContent), "an instruction says " + tip.textContent);
      const place = tip.getBoundingClientRect();
      expect(place.right <= innerWidth + 1 && place.bottom <= innerHeight + 1, "details leave the window");
    }
    for (const link of all("nav a")) {
      expect(document.getElementById(decodeURIComponent(link.hash.slice(1))), "a link to nothing: " + link.hash);
    }
  };
  try {
    check();
  } catch (error) {
    faults.push(String(error));
  }
  console.log("FAULTS " + faults.length + (faults.length ? ": " + faults.slice(0, 5).join("; ") : ""));
})();
