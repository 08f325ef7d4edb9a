// Names as small numbers. A Map, never an object: agents may be called `__proto__`.
export class Interner {
  private readonly byIndex: string[] = [];
  private readonly indexes = new Map<string, number>();
  /** Indexes that name nothing any more; the next names take them. */
  private readonly free: number[] = [];

  /** How many names are known. */
  get size(): number {
    return this.indexes.size;
  }

  /** Indexes are below this. */
  get end(): number {
    return this.byIndex.length;
  }

  get names(): string[] {
    return [...this.indexes.keys()];
  }

  index(name: string): number {
    const known = this.indexes.get(name);
    if (known !== undefined) return known;
    const index = this.free.pop() ?? this.byIndex.length;
    this.byIndex[index] = name;
    this.indexes.set(name, index);
    return index;
  }

  /** -1 where the name is not known. */
  find(name: string): number {
    return this.indexes.get(name) ?? -1;
  }

  /** "" for -1 and other indexes that name nothing. */
  name(index: number): string {
    return this.byIndex[index] ?? "";
  }

  /** Forgets the names that are not 1 in `used`, by index. Whoever holds one of these indexes must let it go. */
  keep(used: Uint8Array): void {
    for (const [name, index] of this.indexes) {
      if (used[index] === 1) continue;
      this.indexes.delete(name);
      this.byIndex[index] = "";
      this.free.push(index);
    }
  }
}
