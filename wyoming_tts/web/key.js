/** Asks for an API key. */

import { $ } from "./dom.js";

/**
 * @param {boolean} wasWrong Whether one was refused before.
 * @returns {Promise<string | null>} None where somebody does not want to.
 */
export function askForKey(wasWrong) {
  const dialog = $("key-dialog");
  $("key-note").textContent = wasWrong ? "The server does not know that key." : "";
  $("key").value = "";
  dialog.showModal();
  return new Promise((resolve) => {
    let key = null;
    $("key-form").onsubmit = (event) => {
      event.preventDefault();
      key = $("key").value.trim() || null;
      dialog.close();
    };
    $("key-cancel").onclick = () => dialog.close();
    dialog.onclose = () => resolve(key);
  });
}
