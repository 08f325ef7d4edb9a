// Names as small numbers. A Map, never an object: agents may be called `__proto__`.
export class Interner {
  readonly names: string[] = [];
  private readonly indexes = new Map<string, number>();

  get size(): number {
    return this.names.length;
  }

  index(name: string): number {
    const known = this.indexes.get(name);
    if (known !== undefined) return known;
    this.indexes.set(name, this.names.length);
    return this.names.push(name) - 1;
  }

  /** -1 where the name was never seen. */
  find(name: string): number {
    return this.indexes.get(name) ?? -1;
  }

  /** "" for -1 and other indexes that name nothing. */
  name(index: number): string {
    return this.names[index] ?? "";
  }
}
