// Keys that were pressed for a dialog that is still on its way: kept, and given to it when it is there.

export class TypedAhead {
  private text = "";
  private isEntered = false;
  private readonly ending = new AbortController();

  /** `cancel` is called for Escape. */
  constructor(target: EventTarget, cancel: () => void) {
    const listen = (event: Event) => this.take(event as KeyboardEvent, cancel);
    target.addEventListener("keydown", listen, { capture: true, signal: this.ending.signal });
  }

  /** What was typed, and whether Enter ended it. From now on keys go where they go. */
  end(): { text: string; isEntered: boolean } {
    this.ending.abort();
    return { text: this.text, isEntered: this.isEntered };
  }

  private take(event: KeyboardEvent, cancel: () => void): void {
    if (event.ctrlKey || event.metaKey || event.altKey || event.isComposing) return;
    if (event.key === "Escape") cancel();
    else if (event.key === "Enter") this.isEntered = true;
    else if (event.key === "Backspace") this.text = [...this.text].slice(0, -1).join("");
    else if ([...event.key].length === 1 && !this.isEntered) this.text += event.key;
    else return;
    event.preventDefault();
    event.stopImmediatePropagation();
  }
}
