/** What one call has cost so far. A batch is one query: it is one round trip. */
export type Cost = { d1Queries: number; d1RowsRead: number; d1RowsWritten: number; objectCalls: number };

export const zeroCost = (): Cost => ({ d1Queries: 0, d1RowsRead: 0, d1RowsWritten: 0, objectCalls: 0 });
