// Words by which a failure is found again.

/** A phrase that finds failures of this pattern: its longest run of whole words without a variable. */
export function phraseOf(pattern: string): string {
  const words = pattern.split(/\s+/);
  let best: string[] = [];
  let run: string[] = [];
  for (const word of [...words, "#"]) {
    if (/[#"\\\[\]]/.test(word)) {
      if (run.join(" ").length > best.join(" ").length) best = run;
      run = [];
    } else run.push(word);
  }
  return best.join(" ");
}
