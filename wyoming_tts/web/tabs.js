/** Tabs as the ARIA Authoring Practices have them. */

/**
 * @param {HTMLElement} list
 * @param {(name: string) => void} onopen Told the name of the tab that is opened, "blend" for `tab-blend`.
 * @returns {(name: string) => void} Opens a tab.
 */
export function tabs(list, onopen) {
  const all = [...list.querySelectorAll("[role=tab]")];
  const open = (tab) => {
    for (const one of all) {
      one.setAttribute("aria-selected", String(one === tab));
      one.tabIndex = one === tab ? 0 : -1;
      document.getElementById(one.getAttribute("aria-controls")).hidden = one !== tab;
    }
    onopen(tab.id.replace("tab-", ""));
  };
  const steps = { ArrowRight: 1, ArrowLeft: -1 };
  list.addEventListener("keydown", (event) => {
    const place = all.indexOf(event.target);
    const ends = { Home: 0, End: all.length - 1 };
    const next = ends[event.key] ?? (place + steps[event.key] + all.length) % all.length;
    if (place < 0 || Number.isNaN(next)) return;
    event.preventDefault();
    all[next].focus();
    open(all[next]);
  });
  for (const tab of all) tab.addEventListener("click", () => open(tab));
  return (name) => open(all.find((tab) => tab.id === `tab-${name}`));
}
