/** Whether a dialog is over the page: keys are its own then, also while the body has the focus, as between its
    last control and its first. */
export function isDialogOpen(): boolean {
  return document.querySelector("dialog[open]") !== null;
}
