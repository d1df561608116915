"use strict";
// The page can be read in full without this: it makes tables sortable and the results a file.
(() => {
  const key = (row, column) => {
    const cell = row.cells[column];
    return "sort" in cell.dataset ? Number(cell.dataset.sort) : cell.textContent.trim();
  };
  const compare = (a, b) => (typeof a === "number" ? a - b : a.localeCompare(b));
  document.querySelectorAll("table.sortable").forEach((table) => {
    const heads = [...table.querySelectorAll("thead th")];
    const body = table.tBodies[0];
    heads.forEach((head, column) => {
      const button = document.createElement("button");
      button.type = "button";
      button.append(...head.childNodes);
      head.append(button);
      button.addEventListener("click", () => {
        // numbers begin with the largest, which is what one looks for; texts with the first
        const first = head.dataset.first || (head.classList.contains("n") ? "descending" : "ascending");
        const other = first === "ascending" ? "descending" : "ascending";
        const order = head.getAttribute("aria-sort") === first ? other : first;
        const sign = order === "ascending" ? 1 : -1;
        heads.forEach((each) => each.removeAttribute("aria-sort"));
        head.setAttribute("aria-sort", order);
        body.append(...[...body.rows].sort((a, b) => sign * compare(key(a, column), key(b, column))));
      });
    });
  });

  const lines = JSON.parse(document.getElementById("results").textContent);
  if (lines.length) {
    const text = lines.map((line) => JSON.stringify(line) + "\n").join("");
    const link = document.getElementById("download");
    link.href = URL.createObjectURL(new Blob([text], { type: "application/jsonl" }));
    link.hidden = false;
  }

  addEventListener("beforeprint", () => document.querySelectorAll("details").forEach((each) => { each.open = true; }));
})();
