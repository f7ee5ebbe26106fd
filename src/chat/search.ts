/**
 * Search in a chat. The index is filled in batches, by the room's alarm and by whoever asks: on the way of a message there
 * is none to write.
 *
 * Messages are indexed in blocks of BLOCK neighbours, since every row of an index is a row written and billed. The index
 * holds three-letter pieces, without text, positions or sizes. It only finds blocks to look into: whether a message matches
 * is decided on its text, so that no character of a search is special. What a block has is always what its messages say
 * now; the newest messages, which do not fill a block yet, are looked through.
 *
 * An object does one thing at a time, so a search looks through a bounded number of messages, however many candidates its
 * words have, and says how far it came.
 */
import { fold } from "../text.ts";
import type { Part } from "./log.ts";
import { type Counted, Statistics } from "./statistics.ts";

/** The longest messages, inert, fill a third of the 2 MB that the platform takes as one text. */
const BLOCK = 32;
/** Blocks of one batch: some 20 ms. */
const BATCH_BLOCKS = 32;
/** How long a full block may wait for the index, unless somebody searches. */
const INDEX_AFTER_MS = 300_000;
/** Pieces of a word that are looked up; the text decides in the end. */
const PIECES_PER_WORD = 8;
/** What one search looks through at once, in messages and in UTF-16 units of text: some 10 ms. */
const LOOK_MESSAGES = 2000;
const LOOK_LENGTH = 1_000_000;

type Candidate = { seq: number; content: string };

/** The seqs that were found, newest first. `lookedTo`: everything before it has not been looked at; null: all has. */
export type Found = { seqs: number[]; lookedTo: number | null };

/** A short word that begins more pieces than this is in nearly every block: nothing is narrowed by it. */
const SHORT_TERMS = 64;

const IS_THERE = "kind = 'message' AND deleted_at IS NULL";

export class ChatSearch {
  readonly #sql: SqlStorage;
  readonly statistics: Statistics;
  #indexed: number;

  constructor(sql: SqlStorage) {
    this.#sql = sql;
    this.#indexed = sql.exec<{ seq: number }>("SELECT indexed_seq AS seq FROM state").one().seq;
    this.statistics = new Statistics(sql);
  }

  /** The seq up to which messages are indexed and counted. */
  get indexed(): number {
    return this.#indexed;
  }

  /** Nothing was ever said. */
  clear(): void {
    this.#sql.exec("INSERT INTO search (search) VALUES ('delete-all')");
    this.#sql.exec("DELETE FROM counts");
    this.#sql.exec("UPDATE state SET indexed_seq = 0");
    this.#indexed = 0;
  }

  /** When the alarm should index, ms; null when no block is full. */
  due(): number | null {
    const [full] = this.#sql.exec<{ at: number }>("SELECT at FROM log WHERE seq = ?", this.#indexed + BLOCK).toArray();
    return full ? full.at + INDEX_AFTER_MS : null;
  }

  /** Indexes and counts a batch of full blocks. Answers whether more wait. */
  indexBatch(): boolean {
    const from = this.#indexed;
    const [newest] = this.#sql.exec<{ seq: number | null }>("SELECT max(seq) AS seq FROM log").toArray();
    const full = Math.floor(((newest?.seq ?? 0) - from) / BLOCK);
    const until = from + Math.min(full, BATCH_BLOCKS) * BLOCK;
    if (until === from) return false;
    for (let block = from / BLOCK; block < until / BLOCK; block += 1) this.#index(block, this.#textOf(block));
    this.statistics.count(from, until);
    this.#sql.exec("UPDATE state SET indexed_seq = ?", until);
    this.#indexed = until;
    return full > BATCH_BLOCKS;
  }

  /** Makes a change of this message's text, and keeps the index in step with it. */
  follow(seq: number, change: () => void): void {
    if (seq > this.#indexed) return change();
    const block = Math.floor((seq - 1) / BLOCK);
    // An index without text must be told which text to take out (SQLite docs, FTS5 4.4.3).
    const before = this.#textOf(block);
    change();
    const after = this.#textOf(block);
    if (before !== "") {
      this.#sql.exec("INSERT INTO search (search, rowid, content) VALUES ('delete', ?, ?)", block, before);
    }
    this.#index(block, after);
  }

  #index(block: number, text: string): void {
    if (text !== "") this.#sql.exec("INSERT INTO search (rowid, content) VALUES (?, ?)", block, text);
  }

  /**
   * What the messages of a block say, folded; empty when none is left. The line breaks give the last letters of a message a
   * piece of their own, so that every short word begins one.
   */
  #textOf(block: number): string {
    const rows = this.#sql.exec<{ content: string }>(
      `SELECT content FROM log WHERE ${IS_THERE} AND seq > ? AND seq <= ? ORDER BY seq`,
      block * BLOCK,
      (block + 1) * BLOCK,
    );
    return [...rows].map(({ content }) => `${fold(content)}\n\n`).join("");
  }

  /** A message that is there is about to be deleted. */
  uncount(message: Counted & { seq: number }): void {
    if (message.seq <= this.#indexed) this.statistics.uncount(message);
  }

  /** Messages that contain every word of `text`, as people read it. */
  find(text: string, { before = Number.MAX_SAFE_INTEGER, after = 0, limit }: Part): Found {
    this.indexBatch();
    const words = fold(text).split(/\s+/).filter(Boolean);
    const seqs: number[] = [];
    let messages = 0;
    let length = 0;
    for (const { seq, content } of this.#candidates(words, before, after)) {
      const folded = fold(content);
      if (words.every((word) => folded.includes(word))) seqs.push(seq);
      if (seqs.length === limit) break;
      messages += 1;
      length += content.length;
      if (messages < LOOK_MESSAGES && length < LOOK_LENGTH) continue;
      return { seqs, lookedTo: seq > after + 1 ? seq : null };
    }
    return { seqs, lookedTo: null };
  }

  *#candidates(words: string[], before: number, after: number): Generator<Candidate> {
    yield* this.#between(Math.max(after, this.#indexed), before);
    const query = words.flatMap((word) => this.#lookUp(word));
    if (query.includes("")) return;
    // Nothing to look up: every message is a candidate.
    if (query.length === 0) return yield* this.#between(after, Math.min(before, this.#indexed + 1));
    const blocks = this.#sql.exec<{ block: number }>(
      "SELECT rowid AS block FROM search WHERE search MATCH ? AND rowid <= ? AND rowid >= ? ORDER BY rowid DESC",
      query.join(" AND "),
      Math.floor((before - 2) / BLOCK),
      Math.floor(after / BLOCK),
    );
    for (const { block } of blocks) {
      yield* this.#between(Math.max(after, block * BLOCK), Math.min(before, (block + 1) * BLOCK + 1));
    }
  }

  /**
   * What a block has in the index if it has this word: all of its first few three-letter pieces or, of a shorter word, one
   * of those that begin with it. Nothing if that would be any; an empty text if no block can have it.
   */
  #lookUp(word: string): string[] {
    const letters = [...word];
    if (letters.length >= 3) {
      const pieces = letters.slice(0, -2).map((letter, at) => `${letter}${letters[at + 1]}${letters[at + 2]}`);
      return pieces.slice(0, PIECES_PER_WORD).map(quoted);
    }
    const terms = this.#sql
      .exec<{ term: string }>(
        "SELECT term FROM search_terms WHERE term >= ? AND term < ? LIMIT ?",
        word,
        `${word}\u{10FFFF}`,
        SHORT_TERMS + 1,
      )
      .toArray();
    if (terms.length > SHORT_TERMS) return [];
    return [terms.length === 0 ? "" : `(${terms.map(({ term }) => quoted(term)).join(" OR ")})`];
  }

  /** The messages between two positions, both left out, newest first. */
  #between(after: number, before: number): Iterable<Candidate> {
    const query = `SELECT seq, content FROM log WHERE ${IS_THERE} AND seq > ? AND seq < ? ORDER BY seq DESC`;
    return this.#sql.exec<Candidate>(query, after, before);
  }
}

/** A string of the index's query language: in it, only the quote has a meaning (SQLite docs, FTS5 3.1). */
const quoted = (piece: string): string => `"${piece.replaceAll('"', '""')}"`;
