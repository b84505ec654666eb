// Sorts tables, opens what a link leads into, and shows a task's streams. The page is all there without it.
"use strict";
(() => {
  const all = (selector, root = document) => [...root.querySelectorAll(selector)];

  const open = () => {
    const target = location.hash.length > 1 && document.getElementById(location.hash.slice(1));
    const around = target && target.closest("details");
    if (around && !around.open) {
      around.open = true;
      target.scrollIntoView();
    }
  };
  addEventListener("hashchange", open);
  open();

  const value = (row, column) => {
    const cell = row.cells[column];
    const text = cell.dataset.sort ?? cell.textContent.replaceAll(",", "").trim();
    const number = parseFloat(text);
    return Number.isNaN(number) ? text : number;
  };
  for (const table of all("table.sortable")) {
    const body = table.tBodies[0];
    const rows = [...body.rows];
    const heads = all("thead th", table);
    heads.forEach((head, column) => {
      const button = document.createElement("button");
      button.type = "button";
      button.append(...head.childNodes);
      head.append(button);
      button.addEventListener("click", () => {
        // Down, up, and as it was: the order of the dataflow.
        const was = head.getAttribute("aria-sort");
        for (const other of heads) other.removeAttribute("aria-sort");
        if (was === "ascending") {
          body.append(...rows);
          return;
        }
        const sign = was === "descending" ? 1 : -1;
        head.setAttribute("aria-sort", sign > 0 ? "ascending" : "descending");
        const order = (a, b) => {
          const x = value(a, column), y = value(b, column);
          if (typeof x !== typeof y) return typeof x === "number" ? -1 : 1;
          return sign * (x < y ? -1 : x > y ? 1 : 0);
        };
        body.append(...[...rows].sort(order));
      });
    });
  }

  for (const button of all("button[data-open], button[data-close]")) {
    button.hidden = false;
    button.addEventListener("click", () => {
      for (const one of all("details", document.querySelector(button.dataset.open ?? button.dataset.close))) {
        one.open = "open" in button.dataset;
      }
    });
  }

  const graph = document.querySelector("svg.graph");
  for (const task of graph ? all("a.task", graph) : []) {
    const name = task.dataset.task;
    const own = all(".stream", graph).filter((one) => one.dataset.from === name || one.dataset.to === name);
    const show = (on) => {
      graph.classList.toggle("picked", on);
      for (const one of [task, ...own]) one.classList.toggle("on", on);
    };
    for (const event of ["pointerenter", "focus"]) task.addEventListener(event, () => show(true));
    for (const event of ["pointerleave", "blur"]) task.addEventListener(event, () => show(false));
  }
})();
