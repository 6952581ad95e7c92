import type { createNews } from '../../src/inbox/news.ts'

/** Hears of nothing that another opening told. */
export const deafNews =
  (real: typeof createNews): typeof createNews =>
  (parts) => ({ ...real(parts), since: async (mark) => ({ items: [], mark }) })
